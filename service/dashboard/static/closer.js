/* Looks closer at a chart: drag over a part of it, and that part is drawn from the readings themselves.
 *
 * The chart that came with the page stays until somebody asks for this; the library is loaded then, and not before.
 */
(() => {
  "use strict";

  const MOST_POINTS = 4000; // lowest and highest of each of 2,000 pixels
  const HEIGHT = 280;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  let library = null;

  function load() {
    library ??= new Promise((done, failed) => {
      const { script, style } = document.body.dataset;
      const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: style });
      const code = Object.assign(document.createElement("script"), { src: script, onload: done, onerror: failed });
      document.head.append(sheet, code);
    });
    return library;
  }

  async function read(figure, start, end) {
    const address = new URL(figure.dataset.readings, location.href);
    address.searchParams.set("points", Math.max(10, Math.min(MOST_POINTS, 2 * figure.clientWidth)));
    if (start) address.searchParams.set("start", start.toISOString());
    if (end) address.searchParams.set("end", end.toISOString());
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const [series] = Object.values((await answer.json()).signals);
    return [series.time.map((each) => Date.parse(each) / 1000), series.value];
  }

  /* Times of day as the rest of the page writes them; the day where one begins, and at the left. */
  function times(local) {
    const two = (number) => String(number).padStart(2, "0");
    return (_plot, ticks, _axis, _space, step) => ticks.map((each, place) => {
      const at = local(each);
      const day = `${at.getDate()} ${MONTHS[at.getMonth()]}`;
      if (step >= 86400) return step >= 86400 * 28 ? `${MONTHS[at.getMonth()]} ${at.getFullYear()}` : day;
      const clock = `${two(at.getHours())}:${two(at.getMinutes())}${step < 60 ? `:${two(at.getSeconds())}` : ""}`;
      return place === 0 || clock.startsWith("00:00") ? `${clock}\n${day}` : clock;
    });
  }

  function options(figure, show) {
    const local = (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), figure.dataset.zone);
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const lines = { grid: { stroke: colour("--faint"), width: 1 }, ticks: { stroke: colour("--rule") } };
    const axis = { stroke: colour("--soft"), ...lines };
    return {
      width: figure.clientWidth - 24,
      height: HEIGHT,
      tzDate: local,
      axes: [{ ...axis, values: times(local) }, { ...axis, size: 64 }],
      series: [
        { value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        { label: figure.dataset.label, stroke: colour("--trace"), width: 1.2, points: { show: false } },
      ],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: {
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 3) return;
            const [start, end] = [left, left + width].map((at) => new Date(plot.posToVal(at, "x") * 1000));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            show(plot, start, end);
          },
        ],
      },
    };
  }

  async function open(figure) {
    const place = Object.assign(document.createElement("div"), { className: "plot" });
    const told = Object.assign(document.createElement("p"), { className: "small soft", role: "status" });
    figure.classList.add("closer");
    figure.append(place, told);
    const show = async (plot, start, end) => {
      told.textContent = "reading …";
      try {
        const data = await read(figure, start, end);
        plot.setData(data);
        told.textContent = data[0].length
          ? "Drag over a part to see it closer; click twice for all of it. It stands still meanwhile."
          : "No readings in this part; click twice for all of it.";
      } catch (error) {
        told.textContent = `It cannot be drawn: ${error.message}.`;
      }
    };
    try {
      await load();
    } catch {
      told.textContent = "It cannot be drawn: the library does not load.";
      return;
    }
    if (!figure.classList.contains("closer")) return;
    const plot = new window.uPlot(options(figure, show), [[], []], place);
    plot.over.addEventListener("dblclick", () => show(plot));
    figure.plot = plot;
    await show(plot);
  }

  function close(figure) {
    figure.plot?.destroy();
    figure.plot = null;
    figure.classList.remove("closer");
    figure.querySelectorAll(".plot, .plot + p").forEach((each) => each.remove());
  }

  document.addEventListener("click", (event) => {
    const figure = event.target.closest?.("[data-closer]")?.closest("figure");
    if (!figure) return;
    const opened = figure.classList.contains("closer");
    event.target.closest("[data-closer]").textContent = opened ? "Look closer" : "Back";
    (opened ? close : open)(figure);
  });
})();
