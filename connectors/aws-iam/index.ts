import { defineConnector } from '#tourniquet';
import { Aws } from './client.ts';
import { doctor } from './doctor.ts';
import { identifyAccessKey, identifyRoleSession } from './identify.ts';
import { quiet, recentActivity, sessionsOpened } from './operations/activity.ts';
import { denyAll, disableKey, narrowDeny } from './operations/containment.ts';
import { keysOf, lastUsed, permissions } from './operations/evidence.ts';
import { deleteKey, issueKey, issueKeyWriteOnly } from './operations/issue.ts';
import { liveness, newKeyLive, userDenied } from './operations/liveness.ts';
import { revokeRoleSessions, roleFacts, sessionLiveness } from './operations/role-sessions.ts';
import { secretsManagerSink } from './secrets-manager.ts';
import { configured, settings } from './settings.ts';

export { accessKey, roleSession } from './kinds.ts';

const operations = {
  lastUsed,
  keysOf,
  permissions,
  recentActivity,
  sessionsOpened,
  quiet,
  liveness,
  newKeyLive,
  userDenied,
  denyAll,
  narrowDeny,
  disableKey,
  issueKey,
  issueKeyWriteOnly,
  deleteKey,
  roleFacts,
  revokeRoleSessions,
  sessionLiveness,
};

export const awsIam = defineConnector({
  name: 'aws-iam',
  title: 'AWS IAM',
  settings,
  configured,
  connect: (given, outside) => new Aws(given, outside),
  // IAM's limits are unpublished, and CloudTrail answers two look-ups a second: operations make several calls each.
  buckets: { iam: { capacity: 3, perSecond: 3 }, trail: { capacity: 1, perSecond: 1 } },
  identify: { 'aws.access-key': identifyAccessKey, 'aws.role-session': identifyRoleSession },
  sinks: { 'aws.secrets-manager': secretsManagerSink },
  doctor: (ctx) => doctor(ctx, operations),
  operations,
});
