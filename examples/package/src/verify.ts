// Judges evidence and a certificate from files alone: the committee file is all that a stranger needs.
import { readFileSync } from 'node:fs';
import { verifyCertificate } from 'coterie/certificate';
import { parseCommittee } from 'coterie/committee';
import { verifyEvidence } from 'coterie/evidence';
import { certificateSchema } from 'coterie/messages/certificate';
import { parseEvidence } from 'coterie/messages/evidence';

const parsed = parseCommittee(JSON.parse(readFileSync('committee.json', 'utf8')));
if (!parsed.ok) throw new Error(parsed.reason);
const { committee } = parsed;

const certificate = certificateSchema.parse(JSON.parse(readFileSync('certificate.json', 'utf8')));
const verified = verifyCertificate(committee, certificate);
if (!verified.ok) throw new Error(verified.reason);
console.log(`key ${verified.keyId}: certified by operators ${certificate.parameters.signers.join(', ')}`);

// Its last signature moved to the first place: nobody's confirmation any more.
const forged = verifyCertificate(committee, { ...certificate, signatures: certificate.signatures.toReversed() });
if (forged.ok) throw new Error('expected a forged certificate to be refused, it was taken');
console.log(`a forged one: ${forged.reason}`);

const shown = parseEvidence(readFileSync('evidence.json', 'utf8'));
if (!shown.ok) throw new Error(shown.reason);
const judgement = verifyEvidence(committee, shown.evidence);
if (!judgement.guilty) throw new Error(judgement.why);
console.log(`operator ${judgement.culprit}: ${judgement.reason}`);
