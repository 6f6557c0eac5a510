import { z } from 'zod';

const ATTACK = 'attack\\.[a-z0-9._-]+';
/** MITRE ATLAS: a technique or one of its parts. Which numbers exist changes with each of its versions. */
const ATLAS = 'atlas\\.aml\\.t\\d{4}(\\.\\d{3})?';
/** OWASP: the ten of agentic applications and the ten of applications with language models. */
const OWASP = 'owasp\\.(asi|llm)(0[1-9]|10)';
const OWN = 'firebreak\\.[a-z0-9._-]+';

/** What a rule or an intent is an instance of, in the catalogues that people compare tools by. */
export const Tag = z
  .string()
  .regex(
    new RegExp(`^(${ATTACK}|${ATLAS}|${OWASP}|${OWN})$`),
    'attack.*, atlas.aml.t0086, owasp.asi01 to asi10 or llm01 to llm10, firebreak.* in lower case',
  );
