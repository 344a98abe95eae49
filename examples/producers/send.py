# send.py <operator> <coin> ['{"Sign": …}']: send an instruction, if there is one, then print what the operator says.
import sys, boto3

sqs = boto3.resource("sqs")
queue = lambda name: sqs.get_queue_by_name(QueueName=f"coterie-{sys.argv[1]}-{sys.argv[2]}-{name}")
if len(sys.argv) > 3:
    queue("MultisigInstruction").send_message(MessageBody='{"MultisigInstruction": %s}' % sys.argv[3])
for message in queue("MultisigEvent").receive_messages(MaxNumberOfMessages=10, WaitTimeSeconds=20):
    print(message.body)
