export function byId(id) {
  return document.getElementById(id);
}

/** An element with a class and text. Text is only ever set as text, so whatever people write stays text. */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Sets text only where it differs, so that a live region speaks once. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Makes the children of `parent` those of `items`, keeping every element whose `key` and `version` are the same. */
export function reconcile(parent, items, make) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let child = known.get(item.key);
    known.delete(item.key);
    const version = item.version ?? "";
    if (child === undefined || child.dataset.version !== version) {
      const fresh = make(item);
      Object.assign(fresh.dataset, { key: item.key, version });
      if (child === place) place = place?.nextElementSibling ?? null;
      child?.remove();
      child = fresh;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const left of known.values()) left.remove();
}
