/**
 * What one file may ask to be compiled. A regular expression or an expression that is new costs up to a few
 * milliseconds, so that a file of nothing else would hold whoever reads it for a second.
 */
const REGEXES_MAX = 64;
const EXPRESSIONS_MAX = 400;

/** Counts over the documents of one file. */
export class CostlyParts {
  #regexes = 0;
  #expressions = 0;

  /** Why a document is not understood, because with it the file asks for too much; undefined where it does not. */
  refusal(document: unknown): string | undefined {
    this.#count(document, false);
    if (this.#regexes > REGEXES_MAX)
      return `with this document the file has ${this.#regexes} regular expressions, at most ${REGEXES_MAX} are allowed; use contains, startswith, wildcards, or a second file`;
    if (this.#expressions > EXPRESSIONS_MAX)
      return `with this document the file has ${this.#expressions} expressions, at most ${EXPRESSIONS_MAX} are allowed; put some of the rules into a second file`;
    return undefined;
  }

  /** Deeper than a file may be nested, the YAML is refused before. */
  #count(value: unknown, inWhen: boolean): void {
    if (typeof value !== 'object' || value === null) {
      if (inWhen) this.#expressions++;
      return;
    }
    for (const [key, part] of Object.entries(value)) {
      if (key.split('|').includes('re', 1)) this.#regexes += Array.isArray(part) ? part.length : 1;
      else if (key === 'weight' && typeof part === 'string') this.#expressions++;
      else this.#count(part, inWhen || key === 'when');
    }
  }
}
