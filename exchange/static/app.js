// Comfort only: every page does all its work without this file.

// After a refused form, start reading where the problems are listed.
document.querySelector(".error-summary")?.focus();

// A second press on a slow line must not send a second time. The button is not disabled, which
// would lose its value and the keyboard's place: it is marked, and the second sending is stopped.
// After a while it may be pressed again, for a form whose answer is a file leaves the page standing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-disabled", "true");
  announce(document.body.dataset.sending);
  setTimeout(() => letSendAgain(form), 8000);
});

// A long address is copied by a button, which shows where the browser can do it.
document.querySelectorAll("[data-copies]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copies);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
    announce(button.dataset.copied);
  });
});

// Going back shows the page as it was left, marks included.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach(letSendAgain);
});

// What opens in the menu closes by itself when one goes elsewhere.
const opened = () => document.querySelectorAll(".menu-more[open]");
document.addEventListener("click", (event) => {
  opened().forEach((menu) => menu.contains(event.target) || (menu.open = false));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  opened().forEach((menu) => {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  });
});
document.addEventListener("focusin", (event) => {
  opened().forEach((menu) => menu.contains(event.target) || (menu.open = false));
});

function letSendAgain(form) {
  delete form.dataset.sent;
  form.querySelectorAll('[aria-disabled="true"]').forEach((button) => button.removeAttribute("aria-disabled"));
}

function announce(sentence) {
  let region = document.querySelector("[data-announce]");
  if (!region) {
    region = document.createElement("p");
    region.dataset.announce = "";
    region.className = "hidden";
    region.setAttribute("role", "status");
    document.querySelector("main")?.append(region);
  }
  region.textContent = sentence ?? "";
}
