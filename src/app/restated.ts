/** `restated` is written once in this part of the retention, so that a rebuild finds one. */
export const RESTATED_PER_RETENTION = 4;
