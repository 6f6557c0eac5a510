import { BASELINES } from './dashboards/baselines.ts';
import { DECISIONS } from './dashboards/decisions.ts';
import { OVERVIEW } from './dashboards/overview.ts';
import { PIPELINE } from './dashboards/pipeline.ts';
import type { Dashboard } from './panel.ts';

/** What Grafana is given, in the order of the links between them. */
export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, DECISIONS, PIPELINE, BASELINES];
