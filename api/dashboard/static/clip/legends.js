// What colours mean: the wheel of flow, the scale of depth, with numbers and units.

import { figure } from "../charts.js";

const SIZE = 30; // px of a wheel

/** Return the colour (red, green, blue, 0 to 255) of a hue [degrees] and a saturation; full brightness. */
export function hsv(hue, saturation, value = 1) {
  const channel = (n) => {
    const k = (n + hue / 60) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Return the colour of Google's Turbo map at a share from 0 to 1. Source: its published polynomial (A. Mikhailov). */
export function turbo(share) {
  const x = Math.min(Math.max(share, 0), 1);
  const sum = (...terms) => 255 * Math.min(Math.max(terms.reduceRight((total, each) => total * x + each, 0), 0), 1);
  return [
    sum(0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943),
    sum(0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604),
    sum(0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973),
  ];
}

function painted(width, height, colourAt) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue, alpha] = colourAt(x, y);
      image.data.set([red, green, blue, alpha ?? 255], 4 * (y * width + x));
    }
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** Return a wheel: the direction of a flow is hue, its length saturation up to the rim. */
export function wheel(title) {
  const middle = SIZE / 2;
  const canvas = painted(SIZE, SIZE, (x, y) => {
    const [u, v] = [x + 0.5 - middle, y + 0.5 - middle];
    const length = Math.hypot(u, v) / middle;
    const hue = ((Math.atan2(v, u) * 180) / Math.PI + 360) % 360;
    return length > 1 ? [0, 0, 0, 0] : [...hsv(hue, length), 255];
  });
  canvas.className = "wheel";
  label(canvas, title);
  return canvas;
}

/** Return a bar of the colours of a function from 0 to 1. */
export function bar(colourAt, width, height, title) {
  const canvas = painted(width, height, (x) => colourAt(x / (width - 1)));
  label(canvas, title);
  return canvas;
}

function label(canvas, title) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", title);
}

/** Put the legends beside the pictures. `ranges`: {near, far [m], longest: {name: px or m}}. */
export function explain(figures, ranges, units) {
  for (const element of figures) {
    const name = element.dataset.modality;
    const legend = element.querySelector(".legend");
    const longest = ranges.longest[name];
    if (name === "depth" && ranges.near !== null) {
      // Equal steps of the bar are equal steps of disparity, as in the picture.
      const scale = bar((x) => turbo((20 + 235 * (1 - x)) / 255), 70, 8, "from near to far");
      legend.append(`${figure(ranges.near)} m`, scale, `${figure(ranges.far)} m`);
      legend.title = "in equal steps of 1/depth; black: nothing is hit";
    } else if (longest !== undefined) {
      const unit = units[name] ?? "px";
      legend.append(wheel("direction by hue, length by saturation"), `rim ${figure(longest)} ${unit}`);
      legend.title = name === "scene_flow" ? "seen from above" : "black: undefined; longer ones look like the rim";
    } else if (name === "normal") {
      legend.append("x y z as red green blue");
    }
  }
}
