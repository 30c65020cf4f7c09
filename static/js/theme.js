/* Blocking in <head>: the theme stands before the first paint. "auto" follows the system and its changes. */
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    if (root.dataset.theme !== "auto") return;
    root.dataset.bsTheme = dark.matches ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("themechange"));
  };
  apply();
  dark.addEventListener("change", apply);
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* the admin then keeps its own */ }
})();
