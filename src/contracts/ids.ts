/**
 * Ids are `<prefix>_<26 characters>`: UUIDv7 in lower-case Crockford base32, so they sort by creation time.
 * `src/runtime/ids.ts` makes them; these types keep the kinds apart.
 */
export type WorkspaceId = `wsp_${string}`;
export type UserId = `usr_${string}`;
export type IdentityId = `idn_${string}`;
export type ProjectId = `prj_${string}`;
export type ChannelId = `chn_${string}`;
export type ThreadId = `thr_${string}`;
export type TaskId = `tsk_${string}`;
export type RunId = `run_${string}`;
export type InteractionId = `int_${string}`;
export type RuleId = `rul_${string}`;
export type OutboxId = `out_${string}`;
export type AuditId = `aud_${string}`;
export type RunnerId = `rnr_${string}`;
export type ArtifactId = `art_${string}`;
export type RequestId = `req_${string}`;
export type FormId = `frm_${string}`;
export type LinkId = `lnk_${string}`;
export type AttachedFileId = `fil_${string}`;
export type AgentAccountId = `acc_${string}`;
export type PublicationId = `pub_${string}`;
export type PullRequestId = `pul_${string}`;
export type PullErrandId = `per_${string}`;
export type PruneOrderId = `pro_${string}`;
export type InstallationId = `ins_${string}`;
export type AlertId = `alr_${string}`;
export type ExaminationId = `exa_${string}`;
export type InviteId = `inv_${string}`;
export type OwnerTransferId = `otr_${string}`;
export type AccessTokenId = `tok_${string}`;
export type SessionId = `ses_${string}`;
export type SigninLinkId = `sil_${string}`;
export type ExternalLoginId = `exl_${string}`;
export type FolderId = `fld_${string}`;
export type TeamId = `tea_${string}`;
export type MembershipId = `mbr_${string}`;
export type QuotaId = `qta_${string}`;
export type CustomRoleId = `rol_${string}`;
export type AccessBundleId = `bdl_${string}`;

/** Prefix of an id -> its type. */
export interface IdByPrefix {
  wsp: WorkspaceId;
  usr: UserId;
  idn: IdentityId;
  prj: ProjectId;
  chn: ChannelId;
  thr: ThreadId;
  tsk: TaskId;
  run: RunId;
  int: InteractionId;
  rul: RuleId;
  out: OutboxId;
  aud: AuditId;
  rnr: RunnerId;
  art: ArtifactId;
  req: RequestId;
  frm: FormId;
  lnk: LinkId;
  fil: AttachedFileId;
  acc: AgentAccountId;
  pub: PublicationId;
  pul: PullRequestId;
  per: PullErrandId;
  pro: PruneOrderId;
  ins: InstallationId;
  alr: AlertId;
  exa: ExaminationId;
  qta: QuotaId;
  rol: CustomRoleId;
  inv: InviteId;
  otr: OwnerTransferId;
  tok: AccessTokenId;
  ses: SessionId;
  sil: SigninLinkId;
  exl: ExternalLoginId;
  fld: FolderId;
  tea: TeamId;
  mbr: MembershipId;
  bdl: AccessBundleId;
}
export type IdPrefix = keyof IdByPrefix;
