/* Names of what Django's admin names by a picture only, in another language or not at all, for those who hear the page. */
function name() {
  const search = document.getElementById("searchbar");
  if (search) search.setAttribute("aria-label", search.form.querySelector("[type=submit]").value);
  for (const chooser of document.querySelectorAll("select.admin-autocomplete")) {
    const words = document.querySelector(`label[for="${chooser.id}"]`)?.textContent.replace(/[:：]\s*$/, "");
    if (!words) continue;
    for (const field of chooser.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox]") ?? []) {
      field.removeAttribute("aria-labelledby");
      field.setAttribute("aria-label", words);
    }
  }
  for (const link of document.querySelectorAll(".datetimeshortcuts a[aria-label]")) {
    if (!link.ariaLabel.includes(link.textContent)) link.ariaLabel = link.textContent;
  }
}

/* The shortcuts are there with "load"; the choosers are made by jQuery, whose run may come later still. */
addEventListener("load", () => (window.django?.jQuery ?? ((work) => work()))(name));

/* A text that is shown to be copied. */
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.nextElementSibling.textContent = button.dataset.copied;
  } catch { /* it is selected: Ctrl-C copies it */ }
});
