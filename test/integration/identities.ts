/** Users and roles of an emulator's accounts, for callers that the root of an account, whom an emulator never refuses, cannot stand for. */
import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const REGION = 'us-east-1';
const VERSIONS = { iam: '2010-05-08', sts: '2011-06-15' } as const;
const EVERYTHING_OF_SQS = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sqs:*', Resource: '*' }],
});

export class Identities {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** May do everything with queues, as far as its own account is concerned. */
  async user(account: string, name: string): Promise<Credentials> {
    await this.#ask('iam', account, { Action: 'CreateUser', UserName: name });
    const policy = { PolicyName: 'queues', PolicyDocument: EVERYTHING_OF_SQS };
    await this.#ask('iam', account, { Action: 'PutUserPolicy', UserName: name, ...policy });
    const answer = await this.#ask('iam', account, { Action: 'CreateAccessKey', UserName: name });
    return { accessKeyId: element(answer, 'AccessKeyId'), secretAccessKey: element(answer, 'SecretAccessKey') };
  }

  /** The same, as a session of a role. @param path `/…/` */
  async role(account: string, path: string, name: string): Promise<Credentials> {
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }],
    });
    const created = await this.#ask('iam', account, {
      Action: 'CreateRole',
      RoleName: name,
      Path: path,
      AssumeRolePolicyDocument: trust,
    });
    const policy = { PolicyName: 'queues', PolicyDocument: EVERYTHING_OF_SQS };
    await this.#ask('iam', account, { Action: 'PutRolePolicy', RoleName: name, ...policy });
    const answer = await this.#ask('sts', account, {
      Action: 'AssumeRole',
      RoleArn: element(created, 'Arn'),
      RoleSessionName: 'test',
    });
    return {
      accessKeyId: element(answer, 'AccessKeyId'),
      secretAccessKey: element(answer, 'SecretAccessKey'),
      sessionToken: element(answer, 'SessionToken'),
    };
  }

  async #ask(service: 'iam' | 'sts', account: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams({ Version: VERSIONS[service], ...parameters }).toString();
    const { host } = new URL(this.#endpoint);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', host };
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: { ...headers, ...signature(service, account, headers, body) },
      body,
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`expected an answer to ${parameters['Action']}, got ${answer.slice(0, 300)}`);
    return answer;
  }
}

/** AWS Signature Version 4, by the root of an account: its key is the account's number on an emulator. */
function signature(service: string, account: string, headers: { 'content-type': string; host: string }, body: string) {
  const date = new Date().toISOString().replace(/[:-]|\.[0-9]{3}/g, '');
  const day = date.slice(0, 8);
  const signed = 'content-type;host;x-amz-date';
  const canonical = [
    'POST',
    '/',
    '',
    `content-type:${headers['content-type']}`,
    `host:${headers.host}`,
    `x-amz-date:${date}`,
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${REGION}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, REGION, service, 'aws4_request'].reduce<string | Buffer>(hmac, 'AWS4test');
  return {
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${account}/${scope}, SignedHeaders=${signed}, Signature=${hmac(key, text).toString('hex')}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function element(xml: string, name: string): string {
  const [, value] = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml) ?? [];
  if (value === undefined) throw new Error(`expected <${name}> in the answer, got none`);
  return value;
}
