/* A page of the shop: a card is pinned where it is dropped, or where arrow keys took it. Its menu does the same without. */
const price = document.getElementById("pin");
let moved = null; // { card, from, next }: where the card stood

const listOf = (card) => card.closest(".shop-cards");
const place = (card) => [...listOf(card).children].indexOf(card) + 1;

function back() {
  if (!moved) return;
  moved.from.insertBefore(moved.card, moved.next);
  moved.card.classList.remove("is-moved");
  moved = null;
}

function take(card) {
  if (moved?.card === card) return;
  back();
  moved = { card, from: listOf(card), next: card.nextElementSibling };
  card.classList.add("is-moved");
}

function announce(card) {
  const list = listOf(card);
  price.textContent = price.dataset.moved.replace("{place}", place(card)).replace("{list}", list.dataset.name);
}

/* Before anything is saved, the server says what the pin would do. */
function ask(card) {
  const form = card.querySelector(".card-pin form");
  form.elements.placement.value = listOf(card).dataset.placement;
  form.elements.slot.value = place(card);
  card.querySelector(".card-pin").removeAttribute("open");
  price.textContent = price.dataset.waiting;
  form.requestSubmit();
}

function cancel() {
  back();
  price.replaceChildren();
}

const KEYS = {
  ArrowLeft: (card) => card.previousElementSibling?.before(card),
  ArrowRight: (card) => card.nextElementSibling?.after(card),
  ArrowUp: (card) => other(card, -1)?.append(card),
  ArrowDown: (card) => other(card, 1)?.prepend(card),
};
const other = (card, step) => {
  const lists = [...document.querySelectorAll(".shop-cards")];
  return lists[lists.indexOf(listOf(card)) + step];
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && (moved || price?.hasChildNodes())) {
    const card = moved?.card;
    cancel();
    card?.querySelector("[data-moves]").focus();
    return;
  }
  const handle = event.target.closest?.("[data-moves]");
  if (!handle) return;
  const card = handle.closest(".shop-card");
  if (KEYS[event.key]) {
    event.preventDefault();
    take(card);
    KEYS[event.key](card);
    handle.focus();
    announce(card);
  } else if (event.key === "Enter" && moved?.card === card) {
    event.preventDefault();
    ask(card);
  }
});

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.(".shop-card");
  if (!card || !price) return;
  take(card);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.dataset.item);
});
/* The gaps of a list take a card, too, beside the nearest one: a quick drag often ends there. */
function carry(event) {
  const list = event.target.closest?.(".shop-list")?.querySelector(".shop-cards");
  if (!moved || !list) return false;
  event.preventDefault();
  const boxes = [...list.children].map((card) => [card, card.getBoundingClientRect()]);
  const away = (box) => Math.hypot(
    Math.max(box.left - event.clientX, 0, event.clientX - box.right), Math.max(box.top - event.clientY, 0, event.clientY - box.bottom),
  );
  const [card, box] = boxes.reduce((best, each) => (away(each[1]) < away(best[1]) ? each : best));
  if (card !== moved.card) card[event.clientX < box.left + box.width / 2 ? "before" : "after"](moved.card);
  return true;
}
document.addEventListener("dragover", carry);
document.addEventListener("drop", (event) => {
  if (!carry(event)) return;
  moved.dropped = true;
  ask(moved.card);
});
document.addEventListener("dragend", () => { if (moved && !moved.dropped) cancel(); });

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-cancels]");
  if (!link || !price?.contains(link)) return;
  event.preventDefault();
  cancel();
});
