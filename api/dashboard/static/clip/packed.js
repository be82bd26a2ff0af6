// Reads the binary messages of api/viewer/packing.py, and says what went wrong as the service does.

const TYPES = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array, uint32: Uint32Array, float32: Float32Array,
};

/** Fetch an address; an error carries the service's own words. */
export async function ask(address, signal) {
  const answer = await fetch(address, { signal });
  if (answer.ok) return answer;
  let detail = `${answer.status} ${answer.statusText}`;
  if ((answer.headers.get("content-type") ?? "").includes("json")) detail = (await answer.json()).detail ?? detail;
  const error = new Error(detail);
  error.status = answer.status;
  throw error;
}

/** Return the header of a message, with its arrays under `arrays`. */
export function unpack(buffer) {
  const view = new DataView(buffer);
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  if (magic !== "SFV1") throw new Error("the service sent something else than a message of arrays");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const count = shape.reduce((product, each) => product * each, 1);
    arrays[name] = new TYPES[dtype](buffer, 8 + length + offset, count);
  }
  return { ...header, arrays };
}

/** Return x, y, z steps in turn from their differences along each axis. */
export function positions(differences) {
  const count = differences.length / 3;
  const steps = new Uint16Array(differences.length);
  for (let axis = 0; axis < 3; axis++) {
    let sum = 0;
    for (let k = 0, at = axis * count; k < count; k++, at++) {
      sum = (sum + differences[at]) & 0xffff;
      steps[3 * k + axis] = sum;
    }
  }
  return steps;
}
