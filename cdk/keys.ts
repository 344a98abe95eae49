/**
 * The two customer-managed keys of a stack. The key policies decide alone who opens what: the account may administer them and use them for nothing, and each
 * function may ask only for secrets of the kinds that its message needs, by encryption context.
 */
import { Duration, Lazy, RemovalPolicy } from 'aws-cdk-lib';
import { AccountRootPrincipal, type IRole, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { KeyLifecycle } from '../lib/ports.ts';
import type { KeyRight } from './rights.ts';
import type { Stage } from './settings.ts';

/** `CreateGrant` is missing on purpose: a grant would hand `Decrypt` to a role that no policy names. */
const ADMINISTRATION = [
  'CancelKeyDeletion',
  'CreateAlias',
  'DeleteAlias',
  'DescribeKey',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'ListKeyPolicies',
  'ListResourceTags',
  'PutKeyPolicy',
  'RevokeGrant',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateKeyDescription',
].map((action) => `kms:${action}`);

/** Fields of every encryption context (`lib/vault`): one more, and the request is refused. */
const CONTEXT_FIELDS = ['coin', 'identity', 'kind', 'subject', 'table'];

export interface WrappingKeysProps {
  readonly identity: string;
  /** The coin, or `coordinator`. */
  readonly segment: string;
  readonly stage: Stage;
}

export class WrappingKeys extends Construct {
  readonly #props: WrappingKeysProps;
  readonly #keys: Record<KeyLifecycle, Key>;
  /** Functions in the key policy, by right. */
  readonly #users = new Map<string, IRole[]>();

  constructor(scope: Construct, id: string, props: WrappingKeysProps) {
    super(scope, id);
    this.#props = props;
    this.#keys = { keys: this.#key('keys'), ephemeral: this.#key('ephemeral') };
  }

  arn(lifecycle: KeyLifecycle): string {
    return this.#keys[lifecycle].keyArn;
  }

  /** Enters the role in the key policy, and gives it the same right, no wider, in its own. */
  grant(role: IRole, right: KeyRight): void {
    const { lifecycle, action, kind } = right;
    const name = `${action}${kind}`;
    const users = this.#users.get(`${lifecycle} ${name}`);
    if (users) users.push(role);
    else this.#admit(right, [role]);
    const statement = {
      actions: [`kms:${action}`],
      resources: [this.arn(lifecycle)],
      conditions: this.#context(right),
    };
    role.addToPrincipalPolicy(new PolicyStatement(statement));
  }

  /** One statement of the key policy for each right, whose list of functions grows until the template is written. */
  #admit({ lifecycle, action, kind }: KeyRight, users: IRole[]): void {
    this.#users.set(`${lifecycle} ${action}${kind}`, users);
    const roles = Lazy.list({ produce: () => users.map((role) => role.roleArn) });
    this.#keys[lifecycle].addToResourcePolicy(
      new PolicyStatement({
        sid: `${action}Of${kind[0]?.toUpperCase()}${kind.slice(1)}`,
        principals: [new AccountRootPrincipal()],
        actions: [`kms:${action}`],
        resources: ['*'],
        conditions: { ...this.#context({ lifecycle, action, kind }), ArnEquals: { 'aws:PrincipalArn': roles } },
      }),
    );
  }

  #context({ kind }: KeyRight): Record<string, Record<string, unknown>> {
    const { identity, segment } = this.#props;
    return {
      StringEquals: {
        'kms:EncryptionContext:identity': identity,
        'kms:EncryptionContext:coin': segment,
        'kms:EncryptionContext:kind': kind,
      },
      // A field too many is refused here, one too few by the equalities and by the vault.
      'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': CONTEXT_FIELDS },
    };
  }

  #key(lifecycle: KeyLifecycle): Key {
    const { identity, segment, stage } = this.#props;
    const longTerm = lifecycle === 'keys' && stage === 'aws';
    const administration = new PolicyStatement({
      sid: 'AdministerWithoutUse',
      principals: [new AccountRootPrincipal()],
      actions: ADMINISTRATION,
      resources: ['*'],
    });
    return new Key(this, lifecycle, {
      alias: keyAlias(identity, segment, lifecycle),
      description: `Coterie ${identity} ${segment}: wraps ${lifecycle === 'keys' ? 'long-term shares and own keys' : 'secrets of open ceremonies'}`,
      enableKeyRotation: true,
      policy: new PolicyDocument({ statements: [administration] }),
      pendingWindow: Duration.days(longTerm ? 30 : 7),
      removalPolicy: longTerm ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}

export function keyAlias(identity: string, segment: string, lifecycle: KeyLifecycle): string {
  return `alias/coterie-${identity}-${segment}-${lifecycle}`;
}
