import { z } from 'zod';
import { answered, approvedBefore, genericAlert, milestoneAfter, type Scenario } from '#drill';

const ACCOUNT = '123456789012';
const ROLE = 'web-instance';
const FURTHER = 'reports';
const CREDENTIALS = z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string(), SessionToken: z.string() });

/** The credentials of an instance's role are used from outside AWS: GuardDuty's InstanceCredentialExfiltration. */
export const stolenAwsRoleSessionDrill: Scenario = {
  name: 'stolen-aws-role-session',
  title: 'The session of an EC2 instance is used from outside AWS',
  brief:
    'GuardDuty saw the credentials of the instance role web-instance used from an address outside AWS. The intruder went on ' +
    'to the role reports. AWS cannot end one session: every session of these roles from before now must be refused, the ' +
    'rightful ones too.',

  stage(world) {
    const { aws, now } = world;
    aws.world.addRole(ACCOUNT, ROLE, { attached: ['AdministratorAccess'] });
    aws.world.addRole(ACCOUNT, FURTHER, { attached: ['AdministratorAccess'] });
    aws.world.addUser(ACCOUNT, 'ec2', ['AdministratorAccess']);
    const { id: instance } = aws.world.addKey(ACCOUNT, 'ec2');
    const assume = (keyId: string, role: string) => {
      const params = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`, RoleSessionName: 'i-0123456789abcdef0' };
      const { Credentials } = aws.world.perform({ keyId, service: 'sts', action: 'AssumeRole', params });
      return CREDENTIALS.parse(Credentials);
    };
    const stolen = assume(instance, ROLE);
    aws.world.perform({ keyId: stolen.AccessKeyId, service: 's3', action: 'ListBuckets', ip: '203.0.113.7' });
    const second = assume(stolen.AccessKeyId, FURTHER);
    const at = now().toISOString();
    return {
      alert: genericAlert(world, {
        id: 'guardduty:drill-1',
        title: 'Credentials for instance role web-instance were used from an external IP address',
        severity: 'high',
        exposure: 'anomaly',
        detectedAt: at,
        credential: {
          kind: 'aws.role-session',
          id: stolen.AccessKeyId,
          where: { account: ACCOUNT, role: ROLE, instance: 'i-0123456789abcdef0' },
        },
        locations: [{ label: 'GuardDuty UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS' }],
      }),
      inventory: [
        {
          match: { kind: 'aws.role-session', where: { role: ROLE } },
          owner: 'web team',
          environment: 'production',
          params: { quietFor: '30m' },
        },
      ],
      objectives: [
        {
          title: 'Contained, and proved denied, within a minute of the alert',
          met: (incident) => (milestoneAfter(incident, 'contained') ?? Number.POSITIVE_INFINITY) <= 60_000,
        },
        { title: 'The stolen session opens nothing any more', met: () => !aws.world.canUse(stolen.AccessKeyId) },
        {
          title: 'Nor does the session that the intruder opened with it',
          met: () => !aws.world.canUse(second.AccessKeyId),
        },
        {
          title: 'The rightful users of the role can open a session that works',
          met: () => aws.world.canUse(assume(instance, ROLE).AccessKeyId),
        },
        {
          title: 'People renewed what runs as the role, and closed the way in',
          met: (incident) => ['rotate/renew', 'rotate/trust'].every((step) => answered(incident, step)),
        },
        {
          title: 'CloudTrail was silent about the stolen session before the incident ended, and a person had approved',
          met: (incident) => incident.state === 'closed' && approvedBefore(incident, 'retire', 'retire/quiet'),
        },
      ],
      secrets: [stolen, second].flatMap(({ SecretAccessKey, SessionToken }) => [SecretAccessKey, SessionToken]),
    };
  },
};
