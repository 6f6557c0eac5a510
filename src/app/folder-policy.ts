import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ActivationHistory } from '../adapters/kafka/activation-history.ts';
import type { Stats } from '../adapters/telemetry/stats.ts';
import type { PolicyBody } from '../domain/rule.ts';
import type { Keyring } from '../formats/signature.ts';
import { type ActivationParts, activate, adviseOwner } from './activation.ts';
import { BASELINE_FILE } from './baseline-file.ts';
import type { PartitionWorker } from './partition-worker.ts';
import { policyHash, RulesRefused, yamlFilesAt } from './rule-folder.ts';
import { loadPack } from './rule-pack.ts';

export interface FolderPolicyParts extends ActivationParts {
  history: Pick<ActivationHistory, 'add' | 'read'>;
  stats: Stats;
  logger: Logger;
  /** Time between two looks at the folder. Looked at, not watched: a mounted folder tells nobody when it changes. */
  reloadIntervalMs: number;
  /** With it, the baseline must be signed by a learner among these. */
  signers?: Keyring | undefined;
}

const SUPERSEDED =
  'the rules folder holds a policy that was replaced; not activated. Use firebreak activate --force, or run without it';

/** The owner of partition 0 speaks for all partitions; the others only look whether the folder is fit. */
type Owner = Pick<PartitionWorker, 'assignment' | 'partition'>;

/**
 * `policy.source: folder`: the folder is activated where the owner of partition 0 has read its log to the end, and again
 * whenever its files change. A folder with mistakes or failing tests is refused as a whole, loudly, and the policy in
 * force stays.
 */
export class FolderPolicy {
  readonly #path: string;
  readonly #parts: FolderPolicyParts;
  /** Undefined while the folder is refused: what was good before is not what it says any more. */
  #body: PolicyBody | undefined;
  /** Of the files that were looked at last, good or bad. */
  #digest: string;
  #owner: Owner | undefined;
  /** The body is not in force yet, as far as this process knows. */
  #wanted = true;
  #offering: Promise<void> = Promise.resolve();

  private constructor(path: string, parts: FolderPolicyParts, body: PolicyBody, digest: string) {
    this.#path = path;
    this.#parts = parts;
    this.#body = body;
    this.#digest = digest;
  }

  /** Throws a RulesRefused where the folder is not fit: nobody has a policy of it yet. */
  static async open(path: string, parts: FolderPolicyParts): Promise<FolderPolicy> {
    const digest = await digestOf(path);
    const { body } = await loadPack(path, parts.signers);
    return new FolderPolicy(path, parts, body, digest);
  }

  /** Called by the owner of partition 0 once it has read the log to its end. */
  async offerTo(owner: Owner): Promise<void> {
    this.#owner = owner;
    this.#wanted = true;
    await this.#offer();
  }

  /** Looks at the folder until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, reloadIntervalMs, logger } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(reloadIntervalMs, signal);
      if (signal.aborted) return;
      try {
        await this.look();
      } catch (err) {
        logger.error({ err }, 'the rules folder could not be read or activated; it is tried again');
      }
    }
  }

  /** Takes what the folder holds now. */
  async look(): Promise<void> {
    const { stats, logger, signers } = this.#parts;
    const digest = await digestOf(this.#path);
    if (digest !== this.#digest) {
      try {
        this.#body = (await loadPack(this.#path, signers)).body;
        stats.folder = 'accepted';
        this.#wanted = true;
      } catch (error) {
        if (!(error instanceof RulesRefused)) throw error;
        stats.folder = 'refused';
        this.#body = undefined;
        logger.error({ err: error }, `the rules folder is refused, the policy in force stays: ${error.message}`);
      }
      this.#digest = digest;
    }
    if (this.#owner !== undefined && !this.#owner.assignment.lost.aborted) await this.#offer();
  }

  /** One after another: the owner may catch up while the folder is looked at. */
  #offer(): Promise<void> {
    const offering = this.#offering.then(() => this.#activate());
    this.#offering = offering.catch(() => undefined); // told to whoever offered
    return offering;
  }

  async #activate(): Promise<void> {
    const body = this.#body;
    if (!this.#wanted || this.#owner === undefined || body === undefined) return;
    const { history, stats, logger } = this.#parts;
    const hash = policyHash(body);
    const advice = adviseOwner(hash, this.#owner.partition.state, await history.read());
    if (advice === 'new') {
      await activate(body, 'policy.source: folder', this.#parts);
      logger.info({ hash, rules: body.rules.length }, 'the rules folder is activated in all partitions');
    } else if (advice === 'superseded') {
      stats.folder = 'refused';
      logger.error({ hash }, SUPERSEDED);
    }
    if (body === this.#body) this.#wanted = false;
  }
}

/** Of the names and bytes of everything that makes the policy or tests it. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...(await yamlFilesAt(path)), join(path, BASELINE_FILE)]) {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (bytes !== undefined) hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
