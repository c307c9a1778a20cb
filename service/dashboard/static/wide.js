/* Lets keys reach a table that is wider than its place, to scroll it; one that is not would only be a stop on the way. */
(() => {
  "use strict";

  function tell(box) {
    if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  }

  const sizes = new ResizeObserver((seen) => seen.forEach((each) => tell(each.target)));
  const all = () => document.querySelectorAll(".scroll").forEach((box) => {
    sizes.observe(box);
    tell(box);
  });

  document.addEventListener("htmx:finally:request", all); // a page that was made anew knows nothing of this
  all();
})();
