import { oneParam, type UrlParams } from '../hop-head/list-query.ts';

/** What the URL asks of the list; the range stands beside it. */
export interface AlertsForm {
  state: string;
  rule: string;
  severity: string;
  application: string;
}

export const alertsFormOf = (params: UrlParams): AlertsForm => ({
  state: oneParam(params.state),
  rule: oneParam(params.rule),
  severity: oneParam(params.severity),
  application: oneParam(params.application),
});

export const isFiltered = (form: AlertsForm): boolean => Object.values(form).some((value) => value !== '');
