// send.ts <operator> <coin> ['{"Sign": …}']: send an instruction, if there is one, then print what the operator says.
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const [operator, coin, instruction] = process.argv.slice(2);
const sqs = new SQSClient({});
const queue = async (name: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName: `coterie-${operator}-${coin}-${name}` }))).QueueUrl;
if (instruction) await sqs.send(new SendMessageCommand({ QueueUrl: await queue('MultisigInstruction'), MessageBody: `{"MultisigInstruction": ${instruction}}` }));
const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: await queue('MultisigEvent'), MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }));
for (const { Body } of Messages) console.log(Body);
