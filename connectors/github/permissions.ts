export type Level = 'read' | 'write';
/** A GitHub App's permissions as its settings page and the API name them: `{ secret_scanning_alerts: 'write' }`. */
export type PermissionMap = Readonly<Record<string, Level>>;

/** Of operations, what they declare. */
type Operations = Readonly<Record<string, { readonly permissions: readonly string[] }>>;

/** Every permission that the connector ever names, as `NAME:LEVEL`. https://docs.github.com/rest/authentication/permissions-required-for-github-apps */
export const NEEDS = {
  metadata: 'metadata:read',
  readAlerts: 'secret_scanning_alerts:read',
  writeAlerts: 'secret_scanning_alerts:write',
  readKeys: 'administration:read',
  writeKeys: 'administration:write',
  readSecrets: 'secrets:read',
  writeSecrets: 'secrets:write',
} as const;

/** The highest level of each permission that `needed` names. */
export function permissionMap(needed: readonly string[]): PermissionMap {
  const map: Record<string, Level> = {};
  for (const need of needed.toSorted()) {
    const [name = '', level] = need.split(':');
    if (level === 'write' || map[name] === undefined) map[name] = level === 'write' ? 'write' : 'read';
  }
  return map;
}

/** The least that an app must be given for `operations`, for identifying clues and for writing Actions secrets. */
export const requiredPermissions = (operations: Operations): PermissionMap =>
  permissionMap([
    ...Object.values(operations).flatMap((operation) => operation.permissions),
    NEEDS.metadata,
    NEEDS.writeSecrets,
  ]);

/** The body of a GitHub App manifest, to create the app with exactly what it needs. https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest */
export const appManifest = (operations: Operations, url: string) => ({
  name: 'Tourniquet',
  url,
  hook_attributes: { url: new URL('/webhooks/github', url).href },
  public: false,
  default_permissions: requiredPermissions(operations),
  default_events: ['secret_scanning_alert', 'secret_scanning_alert_location'],
});
