/* The editor of a campaign: names in braces go where the cursor was last, and a link to a field opens the step that it is in. */
let last = null;
const FIELD = "#step-what .language :is(input, textarea)";

document.addEventListener("focusin", ({ target }) => { if (target.matches(FIELD)) last = target; });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-inserts]");
  if (button) {
    const field = last?.isConnected ? last : document.querySelector(FIELD);
    field.closest("details").open = true;
    field.setRangeText(button.dataset.inserts, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target?.closest("#campaign-form")) {
    event.preventDefault();
    for (let around = target.parentElement; around; around = around.parentElement) if (around instanceof HTMLDetailsElement) around.open = true;
    target.focus();
    target.scrollIntoView({ block: "center" });
  }
});

/* Who saves stays on the step that is open. */
document.addEventListener("toggle", ({ target }) => {
  if (target.matches?.("details.campaign-step[open]")) document.querySelector("#campaign-form > [name=step]").value = target.id.replace("step-", "");
}, true);
