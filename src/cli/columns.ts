/** Lines of at most `width`, broken between words. */
export function wrapped(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(' '.repeat(indent) + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, ' '.repeat(indent) + line];
}

/** The head, then the text: broken where it has to be, and always right of the head. */
export function hanging(head: string, text: string, width: number): string[] {
  const [first = '', ...rest] = wrapped(text, width, head.length);
  return [(head + first.slice(head.length)).trimEnd(), ...rest];
}

/** Columns two spaces apart. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  return laidOut(rows, widthsOf(rows));
}

/** A column that may be cut is left so wide. */
const CUT_MIN = 8;

/**
 * The same in no more than `width`: of the columns that may be cut the widest loses most. Where that is not enough, the
 * lines end early.
 */
export function alignedWithin(rows: readonly (readonly string[])[], width: number, cuttable: number[]): string[] {
  const widths = widthsOf(rows);
  const over = widths.reduce((sum, one) => sum + one + 2, -2) - width;
  for (let left = over; left > 0; left--) {
    const [widest] = cuttable.filter((one) => widths[one]! > CUT_MIN).sort((a, b) => widths[b]! - widths[a]!);
    if (widest === undefined) break;
    widths[widest]!--;
  }
  const fitting = rows.map((row) => row.map((cell, column) => cut(cell, widths[column]!)));
  return laidOut(fitting, widths).map((line) => cut(line, width));
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
}

function laidOut(rows: readonly (readonly string[])[], widths: readonly number[]): string[] {
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;
}
