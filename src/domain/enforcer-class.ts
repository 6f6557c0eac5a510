import { z } from 'zod';

/** A kind of enforcer: what stands around an agent in one layer, such as its runtime, the gateway, the platform. */
export const EnforcerClass = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'lower-case letters, digits and -');

/** In the order in which they are to act: the first alone at first. */
export const EnforcerClasses = z
  .array(EnforcerClass)
  .min(1)
  .max(5)
  .refine((classes) => new Set(classes).size === classes.length, 'each class once');

/**
 * Who leaves something alone for the time being. It names those who wait, not those who act: a class that nobody has
 * listed, or that is misspelt, acts at once. Absent where everybody acts.
 */
export const Standby = z
  .array(z.string())
  .min(1)
  .optional()
  .describe('Enforcer classes that leave it alone until they are not named any more. Absent: everybody acts.');
