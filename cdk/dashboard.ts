/** One dashboard for each operator: everything that begins with its name, whichever stack it is in. */
import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, MathExpression, Metric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { processorStackName, signingServiceStackName } from '../lib/cli/deploy-names.ts';
import { METRIC_NAMESPACE } from './alarms.ts';
import type { Settings } from './settings.ts';

const PERIOD = Duration.minutes(5);
const WIDTH = 12;
/** What must not happen to a coin or an asset, and to an asset only: each has an alarm of its own. */
const EVERYWHERE = ['EquivocationDetected', 'SecretUnreadable'];
const OF_ASSETS = ['SerialConflict', 'QuorumBroken', 'ReadOnly'];

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
  const counted = (event: string, stack: string, of: string) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: `${event} ${stack}`,
      label: `${event} ${of}`,
      statistic: 'Sum',
      period: PERIOD,
    });
  const security = [
    ...EVERYWHERE.flatMap((event) => coins.map((coin) => counted(event, processorStackName(identity, coin), coin))),
    ...[...EVERYWHERE, ...OF_ASSETS].flatMap((event) =>
      assets.map((asset) => counted(event, signingServiceStackName(identity, asset), asset)),
    ),
  ];
  dashboard.addWidgets(new GraphWidget({ title: 'What must not happen', width: 2 * WIDTH, left: security }));
  return dashboard;
}
