import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { STYLE } from './style.ts';

export interface Page {
  title: string;
  header: Html;
  main: readonly Html[];
  footer: Html;
}

/**
 * A report as one file to be mailed: no script, nothing from the network, and a policy that would refuse both. Texts from
 * the events are escaped; the only style that counts is ours, known by its hash.
 */
export function pageText({ title, header, main, footer }: Page): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>${header}</header>
<main>${main}</main>
<footer>${footer}</footer>
</body>
</html>
`;
  return page.text;
}
