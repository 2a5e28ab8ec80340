// Who may have more of what all tenants share.

const SHARE = 9;

/**
 * Whether one who has `own` of what there are `max` of, `used` by all, may have one more: up to nine times what is left. So one alone has at most nine tenths, and whoever comes later finds
 * room, without anybody having to give way.
 */
export function hasRoom({ own, used, max }: { own: number; used: number; max: number }): boolean {
  return own < SHARE * (max - used);
}
