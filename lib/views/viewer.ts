/** Who looks. Every view and API handler is given one; what it may not see appears nowhere (design.md section 11). */
export interface Viewer {
  name: string;
  role: 'owner' | 'member' | 'viewer';
  /** applications this viewer may see; 'all' for an owner */
  applications: 'all' | ReadonlySet<string>;
}

/** Until accounts exist, whoever reaches the loopback listener owns the product. */
export const owner: Viewer = Object.freeze({ name: 'owner', role: 'owner', applications: 'all' });

export const maySee = (viewer: Viewer, application: string): boolean =>
  viewer.applications === 'all' || viewer.applications.has(application);
