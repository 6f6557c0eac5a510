/**
 * RFC 8785: the one text of a JSON value, so that equal values have equal bytes and equal signatures. Keys are sorted
 * by UTF-16 code units, numbers and strings are written as ECMAScript writes them. Throws on a number that is not
 * finite and on whatever is no JSON. A lone surrogate, which the RFC refuses, is written as its escape: the texts come
 * from events, and no event may stop a partition.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON`);
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return list(value);
      if (isPlain(value)) return map(value);
      throw new TypeError(`${value.constructor?.name ?? 'this object'} has no JSON`);
    default:
      throw new TypeError(`${typeof value} has no JSON`);
  }
}

function list(items: readonly unknown[]): string {
  let out = '[';
  for (let i = 0; i < items.length; i++) out += (i === 0 ? '' : ',') + canonicalJson(items[i]);
  return `${out}]`;
}

function map(fields: Record<string, unknown>): string {
  let out = '{';
  // The default order of sort() is that of UTF-16 code units, which is what RFC 8785 asks for.
  for (const key of Object.keys(fields).sort()) {
    if (fields[key] === undefined) continue;
    out += `${(out.length === 1 ? '' : ',') + JSON.stringify(key)}:${canonicalJson(fields[key])}`;
  }
  return `${out}}`;
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
