/** The second deploy's parameter: the hash that the operators compared by voice. */
import { CfnParameter } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { COMMITTEE_HASH } from '../lib/cli/deploy-names.ts';

export class CommitteeHash extends CfnParameter {
  constructor(scope: Construct) {
    super(scope, COMMITTEE_HASH, {
      type: 'String',
      default: '',
      allowedPattern: '^(0x[0-9a-f]{64})?$',
      constraintDescription: 'expected 0x and 64 lower-case hex digits, or nothing in the first deploy',
      description:
        'SHA-256 of the committee file; a file with any other hash is never accepted. Empty in the first deploy.',
    });
  }

  get hash(): string {
    return this.valueAsString;
  }
}
