/* Keeps a page up to date, and says since when it is not.
 *
 * The server rings a bell when something happened; the page then fetches itself and morphs into what it got, so that
 * only what changed is touched. What a person is writing in is left alone until they are done.
 */
(() => {
  "use strict";

  const SILENCE = 4500; // ms without a beat (they come every 2 s) after which nothing shown can be relied on
  const AGAIN = 2500; // ms between two tries to connect
  const APART = 1500; // ms between two looks, however often the bell rings
  const SHARE = 10; // a page that takes long to make is asked for a tenth of the time at most
  const ALWAYS = 60000; // ms after which a page looks anyway: readings and ages change without a bell

  const { live, after, asOf } = document.body.dataset;
  const main = document.getElementById("main");
  const banner = document.getElementById("stale");
  if (!live || !main || !banner || !window.EventSource || !window.htmx) return;

  let stream = null;
  let newest = after; // of what this page was told of
  let known = asOf; // time of day, by the plant's clock, until which this page is known to be right
  let heard = performance.now();
  let tried = -Infinity;
  let looked = performance.now();
  let took = 0; // ms of the last look
  let wanted = false;
  let looking = false;
  let failed = false;

  function connect() {
    stream?.close();
    tried = performance.now();
    stream = new EventSource(`${live}?after=${encodeURIComponent(newest)}`);
    stream.addEventListener("beat", hear);
    stream.addEventListener("bell", (event) => {
      hear(event);
      wanted = true;
      look();
    });
  }

  function hear(event) {
    if (!banner.hidden && !failed) {
      failed = wanted = true; // nothing that is shown counts as up to date before it was asked for again
      looked = -Infinity;
    }
    heard = performance.now();
    newest = event.lastEventId || newest;
    if (!failed) known = event.data;
    watch();
    look();
  }

  function look() {
    const now = performance.now();
    if (looking || !wanted || now - looked < Math.max(APART, SHARE * took)) return;
    wanted = false;
    looking = true;
    looked = now;
    window.htmx.ajax("GET", location.pathname + location.search, {
      source: main, target: main, select: "#main", selectOOB: "#as-of", swap: "outerMorph",
    });
  }

  function done(right) {
    looking = false;
    took = Math.min(performance.now() - looked, ALWAYS / SHARE);
    failed = !right;
    if (failed) wanted = true;
    watch();
  }

  function watch() {
    const silent = performance.now() - heard > SILENCE;
    const stale = silent || failed;
    if (stale && banner.hidden) {
      banner.textContent = `STALE since ${known}: the connection is lost, and what is shown may be out of date.`;
    }
    banner.hidden = !stale;
    document.documentElement.classList.toggle("is-stale", stale);
    if ((silent || stream?.readyState === EventSource.CLOSED) && performance.now() - tried > AGAIN) connect();
  }

  /* Whether somebody is at a form: what they wrote is theirs until they send it or leave it empty again. */
  function inUse(element) {
    if (element.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return true;
    return [...element.querySelectorAll("input, textarea, select")].some((field) => {
      if (field.type === "hidden") return false;
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") return [...field.options].some((each) => each.selected !== each.defaultSelected);
      return field.value !== field.defaultValue;
    });
  }

  window.htmx.registerExtension("andon", {
    htmx_before_morph_node: (_, { oldNode, newNode }) => {
      if (oldNode.matches("figure.closer")) return false; // somebody looks into it
      if (!oldNode.matches("form, [data-forms]") || !inUse(oldNode)) return true;
      const note = oldNode.querySelector("[data-changed]");
      if (note && oldNode.dataset.forms !== newNode.dataset.forms) note.hidden = false;
      return false;
    },
  });

  // An answer that is no page of this address, such as the one to sign in, is not shown in its place.
  main.addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    if (!raw.ok || raw.redirected) event.preventDefault();
  });
  main.addEventListener("htmx:finally:request", (event) => {
    if (event.target === main) done(event.detail.ctx.status === "swapped");
  });

  setInterval(() => {
    if (performance.now() - looked > ALWAYS) wanted = true;
    watch();
    if (banner.hidden || failed) look();
  }, 250);
  document.addEventListener("visibilitychange", watch);
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (event) => event.persisted && connect());
  connect();
})();
