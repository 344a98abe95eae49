/** One dashboard for each operator: everything that begins with its name, whichever stack it is in. */
import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, MathExpression, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { COORDINATOR_SEGMENT } from '../lib/messages/topics.ts';
import type { MetricName } from '../lib/telemetry.ts';
import { saidMetric } from './alarms.ts';
import type { Settings } from './settings.ts';

const PERIOD = Duration.minutes(5);
const WIDTH = 12;

export function addDashboard(scope: Construct, { operator }: Settings): Dashboard {
  const { identity, region, coins, assets } = operator;
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: `coterie-${identity}` });
  const graph = (title: string, schema: string, metric: string, statistic: string, also = '') =>
    new GraphWidget({
      title,
      width: WIDTH,
      region,
      left: [
        new MathExpression({
          expression: `SEARCH('{${schema}} MetricName="${metric}" coterie-${identity} ${also}', '${statistic}', ${PERIOD.toSeconds()})`,
          label: '',
          period: PERIOD,
        }),
      ],
    });
  dashboard.addWidgets(
    new TextWidget({
      markdown: `# ${identity}: ${[...coins, ...assets].join(', ')}\nWhat each graph means, and what to do: \`docs/runbook.md\`.`,
      width: 2 * WIDTH,
      height: 2,
    }),
  );
  dashboard.addWidgets(
    graph('Messages handled', 'AWS/SQS,QueueName', 'NumberOfMessagesDeleted', 'Sum'),
    graph('Oldest message, seconds', 'AWS/SQS,QueueName', 'ApproximateAgeOfOldestMessage', 'Maximum'),
  );
  dashboard.addWidgets(
    graph('Function errors', 'AWS/Lambda,FunctionName', 'Errors', 'Sum'),
    graph('Function duration, p99, milliseconds', 'AWS/Lambda,FunctionName', 'Duration', 'p99'),
  );
  dashboard.addWidgets(
    graph('Write units', 'AWS/DynamoDB,TableName', 'ConsumedWriteCapacityUnits', 'Sum'),
    graph('Read units', 'AWS/DynamoDB,TableName', 'ConsumedReadCapacityUnits', 'Sum'),
  );
  const roles = [COORDINATOR_SEGMENT, ...coins, ...assets];
  const said = (title: string, names: readonly MetricName[], of: readonly string[], statistic: string) =>
    new GraphWidget({
      title,
      width: WIDTH,
      left: names.flatMap((name) =>
        of.map((role) => saidMetric(identity, role, name, statistic, PERIOD).with({ label: `${name} ${role}` })),
      ),
    });
  dashboard.addWidgets(
    said('Operators that answer, more than are needed', ['DistanceToThreshold'], [...coins, ...assets], 'Minimum'),
    said('What has waited longest, seconds', ['OutboxAge', 'CeremonyAge'], roles, 'Maximum'),
  );
  dashboard.addWidgets(
    said('What must not happen', ['EquivocationDetected', 'SecretUnreadable'], [...coins, ...assets], 'Sum'),
    said('Refused', ['EnvelopeRejected', 'NonceConflictRefused'], roles, 'Sum'),
  );
  if (assets.length > 0)
    dashboard.addWidgets(said('Tokens', ['SerialConflict', 'ReadOnly', 'QuorumBroken'], assets, 'Sum'));
  return dashboard;
}
