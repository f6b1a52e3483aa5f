// Loads the page again when its repository has changed, unless somebody is writing in it.
const { changes } = document.body.dataset;
const isWriting = () =>
  [...document.querySelectorAll('main textarea, main input')].some((field) => field.value !== field.defaultValue);
const isOpen = () =>
  document.querySelector('main details.menu[open], main .lab-box details[open], main .answer[open], .line-form') !== null;
let wait;

function changed() {
  clearTimeout(wait);
  wait = setTimeout(() => {
    if (isWriting() || isOpen()) document.querySelector('.news').hidden = false;
    else location.reload();
  }, 150);
}

// Only while it is seen: a browser keeps no more than six connections to one place. What was missed is told at once.
let stream;
function follow() {
  stream?.close();
  stream = document.visibilityState === 'visible' ? new EventSource(changes) : undefined;
  stream?.addEventListener('message', changed);
}

if (changes !== undefined) {
  follow();
  document.addEventListener('visibilitychange', follow);
}

// Menus close when something else is clicked.
document.addEventListener('click', ({ target }) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(target)) menu.open = false;
});
