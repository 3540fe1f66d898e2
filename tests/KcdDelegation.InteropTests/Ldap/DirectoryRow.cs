using KcdDelegation.DirectoryServices;

namespace KcdDelegation.InteropTests.Ldap;

/// <summary>A row of the table that every directory passes with every bind.</summary>
internal sealed record DirectoryRow(string Name, Func<LabDirectory, DirectoryClient, CancellationToken, Task> CheckAsync)
{
    private const int NoSuchObject = 32;
    private const int InsufficientAccessRights = 50;

    public static IReadOnlyList<DirectoryRow> All { get; } =
    [
        new("the server's own entry names the directory", async (directory, client, stop) =>
        {
            var root = (await client.FindEntryAsync("", ["namingContexts", "supportedSASLMechanisms"], stop)).ShouldNotBeNull();
            root.GetTexts("namingContexts").ShouldContain(directory.Suffix);
            root.GetTexts("supportedSASLMechanisms").ShouldContain("GSSAPI");
        }),
        new("more entries than a server returns at once arrive in pages, each of them once", async (directory, client, stop) =>
        {
            var found = await client.SearchAsync(CreatePeopleSearch(directory) with { PageSize = 300 }, stop);
            found.Select(entry => entry.Name.ToUpperInvariant()).Distinct(StringComparer.Ordinal).Count().ShouldBe(directory.Count);
            found.Count.ShouldBe(directory.Count);
            found.ShouldAllBe(entry => entry.GetText(directory.Naming) != null);
        }),
        new("a group with 2,000 members is complete", async (directory, client, stop) =>
        {
            var group = (await client.FindEntryAsync(directory.Group, ["member"], stop)).ShouldNotBeNull();
            group.AttributeNames.ShouldBe(["member"]);
            group.GetTexts("member").Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(LabDirectory.Members);
            group.GetValues("member").Count.ShouldBe(LabDirectory.Members);
        }),
        new("a binary value has every byte", async (directory, client, stop) =>
        {
            var person = (await client.FindEntryAsync(directory.GetPerson(1), [directory.Photo], stop)).ShouldNotBeNull();
            var photo = person.GetValues(directory.Photo).ShouldHaveSingleItem();
            photo.ToArray().ShouldBe(Enumerable.Range(0, 256).Select(number => (byte)number));
        }),
        new("secret values are zero after the entry is disposed", async (directory, client, stop) =>
        {
            var search = new LdapSearch
            {
                Base = directory.GetPerson(1), Scope = LdapScope.Base, Attributes = [directory.Photo], ReadsSecrets = true,
            };
            var person = (await client.SearchAsync(search, stop)).ShouldHaveSingleItem();
            var photo = person.GetValues(directory.Photo).ShouldHaveSingleItem();
            photo.Span.ContainsAnyExcept((byte)0).ShouldBeTrue();
            person.Dispose();
            photo.Span.ContainsAnyExcept((byte)0).ShouldBeFalse();
        }),
        new("an entry that does not exist is null, and a search below it is refused", async (directory, client, stop) =>
        {
            var missing = "ou=missing," + directory.Suffix;
            (await client.FindEntryAsync(missing, [directory.Naming], stop)).ShouldBeNull();
            var error = await Should.ThrowAsync<DirectoryException>(() => client.SearchAsync(new LdapSearch { Base = missing }, stop));
            error.Failure.ShouldBe(DirectoryFailure.Refused);
            error.ResultCode.ShouldBe(NoSuchObject);
            error.Message.ShouldContain("base of the search");
        }),
        new("what the reader may not read is not returned", async (directory, client, stop) =>
        {
            var read = () => client.FindEntryAsync(directory.Closed, ["description", "ou"], stop);
            if (directory.IsSamba)
            {
                // The entry is visible without its attributes, and there is no error.
                (await read()).ShouldNotBeNull().AttributeNames.ShouldBeEmpty();
                return;
            }
            var error = await Should.ThrowAsync<DirectoryException>(read);
            error.ResultCode.ShouldBe(InsufficientAccessRights);
            error.Message.ShouldContain("Give the reader the right");
        }),
        // The request is longer than 64 KiB, the largest frame that OpenLDAP accepts.
        new("a filter with 6,000 parts is answered", async (directory, client, stop) =>
        {
            LdapFilter[] parts =
                [.. Enumerable.Range(1001, 6000).Select(number => LdapFilter.Equal(directory.Naming, $"{directory.Initial}{number:0000}"))];
            var found = await client.SearchAsync(CreatePeopleSearch(directory) with { Filter = LdapFilter.Any(parts) }, stop);
            found.Count.ShouldBe(directory.Count - 1000);
        }),
        new("a value cannot change the filter", async (directory, client, stop) =>
        {
            foreach (var value in (string[])["*", "*)(objectClass=*", directory.Initial + "*", "\\2a", "a\0b", "\u202e"])
            {
                var search = CreatePeopleSearch(directory) with { Filter = LdapFilter.Equal(directory.Naming, value) };
                (await client.SearchAsync(search, stop)).ShouldBeEmpty(value);
            }
        }),
        new("each kind of filter finds what it describes", async (directory, client, stop) =>
        {
            var (naming, initial) = (directory.Naming, directory.Initial);
            var many = LdapFilter.StartsWith(naming, initial + "00");
            (await CountAsync(many)).ShouldBe(99);
            (await CountAsync(LdapFilter.All(many, LdapFilter.Not(LdapFilter.StartsWith(naming, initial + "000"))))).ShouldBe(90);
            var (first, second) = (LdapFilter.Equal(naming, initial + "0001"), LdapFilter.Equal(naming, initial + "0002"));
            (await CountAsync(LdapFilter.Any(first, second, LdapFilter.Equal(naming, "x")))).ShouldBe(2);
            (await CountAsync(LdapFilter.Present(directory.Photo))).ShouldBe(1);

            async Task<int> CountAsync(LdapFilter filter) =>
                (await client.SearchAsync(CreatePeopleSearch(directory) with { Filter = filter }, stop)).Count;
        }),
        new("eight searches at the same time each get their own entry", async (directory, client, stop) =>
        {
            var numbers = Enumerable.Range(1, 8).ToList();
            var found = await Task.WhenAll(
                numbers.Select(number => client.FindEntryAsync(directory.GetPerson(number), [directory.Naming], stop)));
            found.Select(entry => entry?.GetText(directory.Naming)).ShouldBe(numbers.Select(number => $"{directory.Initial}{number:0000}"));
        }),
    ];

    public static DirectoryRow Get(string name) => All.Single(row => row.Name == name);

    /// <summary>Returns the search for all of the many entries, with their naming attribute.</summary>
    public static LdapSearch CreatePeopleSearch(LabDirectory directory) => new()
    {
        Base = directory.People,
        Scope = LdapScope.OneLevel,
        Filter = LdapFilter.Equal("objectClass", directory.IsSamba ? "contact" : "inetOrgPerson"),
        Attributes = [directory.Naming],
    };
}
