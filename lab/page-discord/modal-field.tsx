import type { DiscordPart, DiscordState } from '../discord-page-api.ts';
import { list, text } from '../page/json.ts';
import { Select } from './select.tsx';

/** As a form is sent: text, chosen values or file ids, a checkbox. */
export type ModalValue = string | string[] | boolean;

interface FieldProps {
  field: DiscordPart;
  label: string;
  state: DiscordState;
  /** Undefined until the person touches it. */
  value: ModalValue | undefined;
  onValue(value: ModalValue): void;
  /** Ids of the uploaded files. */
  upload(files: File[]): Promise<string[]>;
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

/** One input of a form; see Discord's component reference for the types. */
export function ModalField({ field, label, state, value, onValue, upload }: FieldProps) {
  switch (field.type) {
    case 4:
      return (
        <TextField field={field} label={label} value={typeof value === 'string' ? value : text(field.value)} onValue={onValue} />
      );
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return (
        <Select
          part={field}
          state={state}
          chosen={Array.isArray(value) ? value : undefined}
          onChosen={(values) => onValue(values)}
        />
      );
    case 19:
      return (
        <input
          type="file"
          aria-label={label}
          multiple={(numberOf(field.max_values) ?? 1) > 1}
          onChange={async (event) => onValue(await upload([...(event.currentTarget.files ?? [])]))}
        />
      );
    case 21:
    case 22:
      return <Choices field={field} value={value} onValue={onValue} />;
    case 23:
      return (
        <label class="choice">
          <input
            type="checkbox"
            checked={typeof value === 'boolean' ? value : field.default === true}
            onChange={(event) => onValue(event.currentTarget.checked)}
          />
          {label}
        </label>
      );
    default:
      return null;
  }
}

interface TextProps {
  field: DiscordPart;
  label: string;
  value: string;
  onValue(value: string): void;
}

function TextField({ field, label, value, onValue }: TextProps) {
  const limits = {
    minLength: numberOf(field.min_length) ?? 0,
    maxLength: numberOf(field.max_length) ?? 4000,
  };
  const shared = {
    ...limits,
    'aria-label': label,
    value,
    placeholder: text(field.placeholder),
    required: field.required !== false,
  };
  return field.style === 2 ? (
    <textarea rows={4} {...shared} onInput={(event) => onValue(event.currentTarget.value)} />
  ) : (
    <input type="text" {...shared} onInput={(event) => onValue(event.currentTarget.value)} />
  );
}

/** A group of radio buttons or checkboxes. */
function Choices({ field, value, onValue }: Pick<FieldProps, 'field' | 'value' | 'onValue'>) {
  const isRadio = field.type === 21;
  const options = list(field.options);
  const marked = options.filter((option) => option.default === true).map((option) => text(option.value));
  const chosen = value === undefined ? marked : [value].flat().map(String);
  return (
    <>
      {options.map((option) => {
        const own = text(option.value);
        return (
          <label key={own} class="choice">
            <input
              type={isRadio ? 'radio' : 'checkbox'}
              name={text(field.custom_id)}
              checked={chosen.includes(own)}
              onChange={(event) => {
                if (isRadio) onValue([own]);
                else onValue(event.currentTarget.checked ? [...chosen, own] : chosen.filter((one) => one !== own));
              }}
            />
            <span>
              {text(option.label)}
              {option.description === undefined ? null : <small>{text(option.description)}</small>}
            </span>
          </label>
        );
      })}
    </>
  );
}
