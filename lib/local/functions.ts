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
import { handler as serviceCommitteeAccepted } from '../../functions/signing-service/committee-accepted.ts';
import { handler as serviceControl } from '../../functions/signing-service/control.ts';
import { handler as serviceCoordinatorPublicKey } from '../../functions/signing-service/coordinator-public-key.ts';
import { handler as serviceEncryptedKeyGenCommitmentIn } from '../../functions/signing-service/encrypted-key-gen-commitment-in.ts';
import { handler as serviceEncryptedKeyShareIn } from '../../functions/signing-service/encrypted-key-share-in.ts';
import { handler as serviceEncryptedPublicKeyIn } from '../../functions/signing-service/encrypted-public-key-in.ts';
import { handler as serviceExternalPublicKeyIn } from '../../functions/signing-service/external-public-key-in.ts';
import { handler as serviceKeyGenCertificateIn } from '../../functions/signing-service/key-gen-certificate-in.ts';
import { handler as serviceKeyGenEvidenceIn } from '../../functions/signing-service/key-gen-evidence-in.ts';
import { handler as serviceKeyGenVerdictIn } from '../../functions/signing-service/key-gen-verdict-in.ts';
import { handler as serviceMultisigInstruction } from '../../functions/signing-service/multisig-instruction.ts';
import { handler as serviceRecoverIssued } from '../../functions/signing-service/recover-issued.ts';
import { handler as serviceSpentSerialsIn } from '../../functions/signing-service/spent-serials-in.ts';
import { handler as serviceSpentSerialsRequestIn } from '../../functions/signing-service/spent-serials-request-in.ts';
import { handler as serviceStart } from '../../functions/signing-service/start.ts';
import { handler as serviceTransaction } from '../../functions/signing-service/transaction.ts';
import { handler as serviceTransactionCertificate } from '../../functions/signing-service/transaction-certificate.ts';
import { handler as serviceWake } from '../../functions/signing-service/wake.ts';
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

/** A signing service is a processor whose coin is an asset: it makes its key in the same ceremony. */
export const SIGNING_SERVICE_FUNCTIONS: readonly NodeFunction<ProcessorConfig>[] = [
  serviceCommitteeAccepted,
  serviceControl,
  serviceCoordinatorPublicKey,
  serviceEncryptedKeyGenCommitmentIn,
  serviceEncryptedKeyShareIn,
  serviceEncryptedPublicKeyIn,
  serviceExternalPublicKeyIn,
  serviceKeyGenCertificateIn,
  serviceKeyGenEvidenceIn,
  serviceKeyGenVerdictIn,
  serviceMultisigInstruction,
  serviceRecoverIssued,
  serviceSpentSerialsIn,
  serviceSpentSerialsRequestIn,
  serviceStart,
  serviceTransaction,
  serviceTransactionCertificate,
  serviceWake,
];
