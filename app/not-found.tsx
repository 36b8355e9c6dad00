import type { Metadata } from 'next';
import { SearchBox } from '#components/shell/search-box.tsx';
import { ButtonLink } from '#components/ui/button.tsx';

export const metadata: Metadata = { title: 'Not here' };

export default function NotFound() {
  return (
    <div className="mx-auto flex max-w-160 flex-col items-start gap-3 px-4 py-14">
      <h1 className="text-title font-title">There is nothing at this address</h1>
      <p className="text-sentence text-ink2">
        A trace or hop may be older than what is kept (7 days of spans unless configured otherwise), the id may be cut
        short, or it belongs to an application you may not see.
      </p>
      <SearchBox name="Search for it" />
      <p className="flex flex-wrap gap-2">
        <ButtonLink href="/" kind="primary">
          Open the fleet
        </ButtonLink>
        <ButtonLink href="/traces">Find a trace</ButtonLink>
      </p>
    </div>
  );
}
