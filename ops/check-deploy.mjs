// `npm run check:deploy`: the chart linted, rendered and compared with the schemas of Kubernetes, KEDA and the Prometheus
// operator; the Prometheus and Alertmanager examples; the Dockerfile. Tools and schemas come once, as Go modules, into .cache.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { build } from '../test/simulation/build.mjs';

const { ensureInstalled } = await import(build('test/services/installed.ts', 'check-deploy'));

const CHART = 'deploy/helm/firebreak';
const BIN = resolve('.cache/bin');
const SCHEMAS = resolve('.cache/k8s-schemas');
const TOOLS = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.19.0',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0',
};
const KUBERNETES = 'k8s.io/kubernetes@v1.34.1';
const CRDS = [
  ['github.com/kedacore/keda/v2@v2.17.2', 'config/crd/bases'],
  ['github.com/prometheus-operator/prometheus-operator@v0.85.0', 'example/prometheus-operator-crd'],
];
const KUBE_VERSION = '1.34.0';
/** No schema of these can be had as a package: they are held to the topics and rights by the code that makes them. */
const WITHOUT_SCHEMA = ['KafkaTopic', 'KafkaUser'];
const ALL = [
  'keda.enabled',
  'strimzi.enabled',
  'metrics.serviceMonitor.enabled',
  'metrics.prometheusRule.enabled',
  'metrics.dashboards.enabled',
];
const RUNBOOKS = 'https://git.example/firebreak/deploy/runbooks/';

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });

await ensureInstalled('go', ['golang-go']);
await ensureInstalled('promtool', ['prometheus']);
await ensureInstalled('amtool', ['prometheus-alertmanager']);
for (const [name, module] of Object.entries(TOOLS)) {
  if (!existsSync(join(BIN, name)))
    run('go', ['install', module], { env: { ...process.env, GOBIN: BIN }, stdio: 'inherit' });
}
if (!existsSync(join(SCHEMAS, 'complete'))) makeSchemas();

const helm = join(BIN, 'helm');
console.log(run(helm, ['lint', '--strict', CHART]).trim());
for (const [what, on] of [
  ['as it is', []],
  ['with everything', ALL],
]) {
  const manifests = run(helm, [
    'template',
    'firebreak',
    CHART,
    '--kube-version',
    KUBE_VERSION,
    ...on.flatMap((one) => ['--set', `${one}=true`]),
    '--set',
    `metrics.prometheusRule.runbookUrl=${RUNBOOKS}`,
  ]);
  const location = join(SCHEMAS, '{{ .ResourceKind }}-{{ .Group }}-{{ .ResourceAPIVersion }}.json');
  const args = ['-strict', '-output', 'json', '-ignore-missing-schemas', '-verbose', '-schema-location', location];
  const { resources } = JSON.parse(tolerant(() => run(join(BIN, 'kubeconform'), args, { input: manifests })));
  const bad = resources.filter(
    ({ status, kind }) => status !== 'statusValid' && !(status === 'statusSkipped' && WITHOUT_SCHEMA.includes(kind)),
  );
  if (bad.length > 0)
    fail(`the chart ${what}`, bad.map(({ kind, name, status, msg }) => `${kind} ${name}: ${status} ${msg}`).join('\n'));
  const skipped = resources.filter(({ status }) => status === 'statusSkipped').length;
  console.log(
    `chart ${what}: ${resources.length - skipped} resources valid, ${skipped} without a schema (${WITHOUT_SCHEMA.join(', ')})`,
  );
  restricted(manifests);
  const alerts = runbooksFound(manifests);
  if (alerts > 0) console.log(`${alerts} alerts, each with a runbook that is there`);
  else if (on === ALL) fail('the chart with everything', 'no alert in it');
  const wrong = manifests.replace('  strategy:', '  strategyy: {}\n  strategy:');
  const told = JSON.parse(tolerant(() => run(join(BIN, 'kubeconform'), args, { input: wrong })));
  if (!told.resources.some(({ kind, status }) => kind === 'Deployment' && status === 'statusInvalid'))
    fail('kubeconform', 'a field that does not exist is accepted');
}
refuses(['--set', 'replicas=0'], 'replicas');
refuses(['--set', 'kafka.brokers=nowhere'], 'brokers');
refuses(['--set', 'metrics.prometheusRule.enabled=true'], 'metrics.prometheusRule.runbookUrl');
refuses(['--set', 'metrics.prometheusRule.runbookUrl=https://no-slash.example'], 'runbookUrl');
const dockerfile = tolerant(() => run('npx', ['--no-install', 'dockerfile-utils', 'lint', 'Dockerfile']));
if (dockerfile.trim() !== '') fail('Dockerfile', dockerfile);
console.log('Dockerfile: nothing found');
console.log(run('promtool', ['check', 'rules', `${CHART}/files/firebreak.rules.yml`]).trim());
console.log(run('promtool', ['check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.example.yml']).trim());
console.log(run('amtool', ['check-config', 'deploy/prometheus/alertmanager.example.yml']).trim().split('\n')[0]);

/** One file for each kind, strict: a field that no schema knows is a mistake. */
function makeSchemas() {
  mkdirSync(SCHEMAS, { recursive: true });
  const swagger = JSON.parse(readFileSync(join(moduleFolder(KUBERNETES), 'api/openapi-spec/swagger.json'), 'utf8'));
  const { definitions } = JSON.parse(JSON.stringify(swagger).replaceAll('"x-kubernetes-int-or-string"', '"x"'));
  for (const definition of Object.values(definitions)) strict(definition);
  const quantity = definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'];
  for (const either of [quantity, definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString']])
    either.type = ['string', 'number'];
  const wanted = [
    'Deployment',
    'ServiceAccount',
    'Service',
    'PodDisruptionBudget',
    'NetworkPolicy',
    'ConfigMap',
    'Secret',
  ];
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      if (wanted.includes(kind)) write(kind, group, version, { $ref: `#/definitions/${name}`, definitions });
    }
  }
  for (const [module, folder] of CRDS) {
    const files = join(moduleFolder(module), folder);
    for (const file of readdirSync(files).filter((one) => /scaledobjects|servicemonitors|prometheusrules/.test(one))) {
      for (const document of parseAllDocuments(readFileSync(join(files, file), 'utf8'))) {
        const { spec } = document.toJS();
        for (const { name, schema } of spec.versions)
          write(spec.names.kind, spec.group, name, strict(schema.openAPIV3Schema));
      }
    }
  }
  writeFileSync(join(SCHEMAS, 'complete'), '');
}

/** As kubeconform asks for it: the group of what is in none is its version. */
function write(kind, group, version, schema) {
  writeFileSync(join(SCHEMAS, `${kind.toLowerCase()}-${group || version}-${version}.json`), JSON.stringify(schema));
}

function strict(schema) {
  if (schema === null || typeof schema !== 'object') return schema;
  if (schema['x-kubernetes-int-or-string'] === true) {
    delete schema.type;
    delete schema.anyOf;
  }
  if (
    schema.properties !== undefined &&
    schema.additionalProperties === undefined &&
    schema['x-kubernetes-preserve-unknown-fields'] === undefined
  ) {
    schema.additionalProperties = false;
  }
  // An object that only says `type: object` at the top of a CRD has metadata of any form.
  for (const value of Object.values(schema)) strict(value);
  return schema;
}

function moduleFolder(module) {
  return JSON.parse(run('go', ['mod', 'download', '-json', module], { cwd: '/' })).Dir;
}

/** What the restricted pod security standard asks for, and that nothing can be written. */
function restricted(manifests) {
  const pods = parseAllDocuments(manifests)
    .map((one) => one.toJS())
    .filter((one) => one?.kind === 'Deployment')
    .map((one) => one.spec.template.spec);
  for (const { securityContext, containers } of pods) {
    const held =
      securityContext.runAsNonRoot === true &&
      securityContext.seccompProfile.type === 'RuntimeDefault' &&
      containers.every(
        ({ securityContext: own }) =>
          own.allowPrivilegeEscalation === false &&
          own.readOnlyRootFilesystem === true &&
          own.capabilities.drop.includes('ALL'),
      );
    if (!held) fail('pod security', 'a pod is not restricted');
  }
  if (pods.length !== 1) fail('pod security', `${pods.length} deployments, 1 expected`);
}

/** Whoever follows the link of an alert must find something. Answers how many alerts there are. */
function runbooksFound(manifests) {
  const rules = parseAllDocuments(manifests)
    .map((one) => one.toJS())
    .filter((one) => one?.kind === 'PrometheusRule')
    .flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules));
  for (const { alert, annotations } of rules) {
    const url = annotations.runbook_url;
    const [, file] = url.split(RUNBOOKS);
    if (!file || !existsSync(join('deploy/runbooks', file))) fail(alert, `its runbook is not there: ${url}`);
  }
  return rules.length;
}

function refuses(args, named) {
  try {
    run(helm, ['template', 'f', CHART, '--kube-version', KUBE_VERSION, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (error.stderr.includes(named)) return;
    throw error;
  }
  fail('values.schema.json', `${args.join(' ')} is accepted`);
}

/** kubeconform exits with 1 where something is invalid; what it says is read all the same. */
function tolerant(call) {
  try {
    return call();
  } catch (error) {
    if (error.stdout) return error.stdout;
    throw error;
  }
}

function fail(what, why) {
  console.error(`${what}:\n${why}`);
  process.exit(1);
}
