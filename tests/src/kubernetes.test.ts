/** docker/kubernetes/worker.yml: only keys that Kubernetes has where they stand, and times that leave a stop its due. */
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { readText } from './workspace.js';

const documents: readonly unknown[] = parseAllDocuments(readText('docker/kubernetes/worker.yml')).map((one) =>
  one.toJS(),
);

const labels = z.record(z.string(), z.string());
const metadata = z.strictObject({ name: z.string().optional(), labels: labels.optional() });
const selector = z.strictObject({ matchLabels: labels });
const amounts = z.strictObject({ cpu: z.string().optional(), memory: z.string() });
const exec = z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) });

const Container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()), // beside ENTRYPOINT; `command` would take its place
  env: z.array(
    z.strictObject({
      name: z.string(),
      valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }),
    }),
  ),
  resources: z.strictObject({ requests: amounts, limits: amounts }),
  lifecycle: z.strictObject({ preStop: exec }).optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().positive(),
    allowPrivilegeEscalation: z.literal(false),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});

const Deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: z.int().positive(),
    selector,
    strategy: z.strictObject({
      type: z.literal('RollingUpdate'),
      rollingUpdate: z.strictObject({ maxSurge: z.int(), maxUnavailable: z.int() }),
    }),
    template: z.strictObject({
      metadata,
      spec: z.strictObject({
        terminationGracePeriodSeconds: z.int().positive(),
        containers: z.tuple([Container]),
      }),
    }),
  }),
});

const PodDisruptionBudget = z.strictObject({
  apiVersion: z.literal('policy/v1'),
  kind: z.literal('PodDisruptionBudget'),
  metadata,
  spec: z.strictObject({ maxUnavailable: z.int().positive(), selector }),
});

const [deployment, budget] = z.tuple([Deployment, PodDisruptionBudget]).parse(documents);
const [worker] = deployment.spec.template.spec.containers;

test('a key that Kubernetes would pass over without a word is found', () => {
  const { spec, ...rest } = deployment;
  expect(Deployment.safeParse({ ...rest, spec: { ...spec, replica: 3 } }).success).toBe(false);
});

test('the pods that the Deployment makes are those that it and the budget look for', () => {
  const { labels: ofPod } = deployment.spec.template.metadata;
  expect(deployment.spec.selector.matchLabels).toEqual(ofPod);
  expect(budget.spec.selector.matchLabels).toEqual(ofPod);
});

test('Kubernetes gives a worker more time to stop than it gives its jobs, by 5 s and more', () => {
  const timeoutSeconds = Number(worker.args[worker.args.indexOf('-t') + 1]);
  expect(timeoutSeconds).toBeGreaterThan(0);
  const { terminationGracePeriodSeconds: grace } = deployment.spec.template.spec;
  expect(grace).toBeGreaterThanOrEqual(timeoutSeconds + 5);
});

test('the new pod is there before the old one stops, and nothing asks the event loop whether it may live', () => {
  expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  expect(Object.keys(worker)).not.toEqual(expect.arrayContaining([expect.stringMatching(/Probe$/)]));
});

test('the hook that the README shows quiets, and does not use up the first TERM', () => {
  const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readText('docker/README.md')) ?? [];
  const hook = z.strictObject({ lifecycle: z.strictObject({ preStop: exec }) });
  const { lifecycle } = hook.parse(parseAllDocuments(shown)[0]?.toJS());
  const command = lifecycle.preStop.exec.command.join(' ');
  expect(command).toMatch(/kill -TSTP 1;/);
  expect(command).not.toMatch(/TERM/);
});
