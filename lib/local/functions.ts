/** Every deployed function, by role: the embedded committee runs the very handlers that Lambda runs. */
import { handler as coordinatorCommitteeAccepted } from '../../functions/coordinator/committee-accepted.ts';
import { handler as coordinatorOutbound } from '../../functions/coordinator/outbound.ts';
import { handler as coordinatorP2pIncoming } from '../../functions/coordinator/p2p-incoming.ts';
import { handler as coordinatorProcessorPublicKey } from '../../functions/coordinator/processor-public-key.ts';
import { handler as coordinatorPublicAddressAvailable } from '../../functions/coordinator/public-address-available.ts';
import { handler as coordinatorSignerReady } from '../../functions/coordinator/signer-ready.ts';
import { handler as coordinatorStart } from '../../functions/coordinator/start.ts';
import { handler as coordinatorWake } from '../../functions/coordinator/wake.ts';
import { handler as processorCommitteeAccepted } from '../../functions/processor/committee-accepted.ts';
import { handler as processorControl } from '../../functions/processor/control.ts';
import { handler as processorCoordinatorPublicKey } from '../../functions/processor/coordinator-public-key.ts';
import { handler as processorEncryptedKeyGenCommitmentIn } from '../../functions/processor/encrypted-key-gen-commitment-in.ts';
import { handler as processorEncryptedKeyShareIn } from '../../functions/processor/encrypted-key-share-in.ts';
import { handler as processorEncryptedPublicKeyIn } from '../../functions/processor/encrypted-public-key-in.ts';
import { handler as processorExternalPublicKeyIn } from '../../functions/processor/external-public-key-in.ts';
import { handler as processorKeyGenCertificateIn } from '../../functions/processor/key-gen-certificate-in.ts';
import { handler as processorKeyGenEvidenceIn } from '../../functions/processor/key-gen-evidence-in.ts';
import { handler as processorKeyGenVerdictIn } from '../../functions/processor/key-gen-verdict-in.ts';
import { handler as processorMultisigInstruction } from '../../functions/processor/multisig-instruction.ts';
import { handler as processorNonceCommitmentIn } from '../../functions/processor/nonce-commitment-in.ts';
import { handler as processorSignatureIn } from '../../functions/processor/signature-in.ts';
import { handler as processorSignatureShareIn } from '../../functions/processor/signature-share-in.ts';
import { handler as processorSigningPackageIn } from '../../functions/processor/signing-package-in.ts';
import { handler as processorStart } from '../../functions/processor/start.ts';
import { handler as processorWake } from '../../functions/processor/wake.ts';
import type { NodeFunction } from '../node/function.ts';
import type { CoordinatorConfig, ProcessorConfig } from '../node/node.ts';

export const COORDINATOR_FUNCTIONS: readonly NodeFunction<CoordinatorConfig>[] = [
  coordinatorCommitteeAccepted,
  coordinatorOutbound,
  coordinatorP2pIncoming,
  coordinatorProcessorPublicKey,
  coordinatorPublicAddressAvailable,
  coordinatorSignerReady,
  coordinatorStart,
  coordinatorWake,
];

export const PROCESSOR_FUNCTIONS: readonly NodeFunction<ProcessorConfig>[] = [
  processorCommitteeAccepted,
  processorControl,
  processorCoordinatorPublicKey,
  processorEncryptedKeyGenCommitmentIn,
  processorEncryptedKeyShareIn,
  processorEncryptedPublicKeyIn,
  processorExternalPublicKeyIn,
  processorKeyGenCertificateIn,
  processorKeyGenEvidenceIn,
  processorKeyGenVerdictIn,
  processorMultisigInstruction,
  processorNonceCommitmentIn,
  processorSignatureIn,
  processorSignatureShareIn,
  processorSigningPackageIn,
  processorStart,
  processorWake,
];
