using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.DirectoryServices;

namespace KcdDelegation.InteropTests.Ldap;

/// <summary>The LDAP client against the directories of the lab: OpenLDAP, Samba 4.17 and Samba 4.22.</summary>
[Collection(Collection)]
public sealed class DirectoryTests
{
    /// <summary>The collection of the tests that use the directories. One of them ends OpenLDAP's server.</summary>
    internal const string Collection = "Directories of the lab";

    private const int SizeLimitExceeded = 4;
    private const int Referral = 10;
    private const int InvalidCredentials = 49;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Table
    {
        get
        {
            var rows = new TheoryData<string, string, string>();
            foreach (var directory in LabDirectory.All)
            foreach (var bind in LabBind.All)
            foreach (var row in DirectoryRow.All)
                rows.Add(directory.Part, bind.Name, row.Name);
            return rows;
        }
    }

    public static TheoryData<string, string> Binds
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var directory in LabDirectory.All)
            foreach (var bind in LabBind.All)
                rows.Add(directory.Part, bind.Name);
            return rows;
        }
    }

    public static TheoryData<string> Directories => [.. LabDirectory.All.Select(directory => directory.Part)];

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Every_directory_passes_every_row_with_every_bind(string part, string bind, string row)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var reader = LabReader.Create(directory, LabBind.Get(bind));

        await DirectoryRow.Get(row).CheckAsync(directory, reader.Client, Stop);
    }

    [Theory]
    [MemberData(nameof(Binds))]
    public async Task A_search_whose_server_ends_in_the_middle_is_complete_at_the_next_server(string part, string bindName)
    {
        var (directory, bind) = (LabDirectory.Get(part), LabBind.Get(bindName));
        directory.Require();
        await using var relay = LabRelay.Start(
            directory.GetEndPoint(bind.UseTls), unit => unit.Number < (bind.UseTls ? 20 : 6) ? [unit.Bytes] : null);
        await using var reader = LabReader.Create(
            directory, bind, [GetRelayed(directory, relay), directory.GetServer(bind.UseTls)]);

        var found = await reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(directory) with { PageSize = 100 }, Stop);

        relay.Connections.ShouldBe(1);
        found.Select(entry => entry.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(directory.Count);
        found.Count.ShouldBe(directory.Count);
    }

    [Theory]
    [MemberData(nameof(Binds))]
    public async Task A_search_whose_only_server_ends_in_the_middle_fails_and_returns_nothing(string part, string bindName)
    {
        var (directory, bind) = (LabDirectory.Get(part), LabBind.Get(bindName));
        directory.Require();
        await using var relay = LabRelay.Start(
            directory.GetEndPoint(bind.UseTls), unit => unit.Number < (bind.UseTls ? 20 : 6) ? [unit.Bytes] : null);
        await using var reader = LabReader.Create(directory, bind, [GetRelayed(directory, relay)]);

        var error = await Should.ThrowAsync<DirectoryException>(
            () => reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(directory) with { PageSize = 100 }, Stop));

        error.Failure.ShouldBe(DirectoryFailure.Unavailable);
        error.Server.ShouldBe(directory.Server.Name);
    }

    [Theory]
    [MemberData(nameof(Binds))]
    public async Task A_server_that_refuses_connections_is_followed_by_the_next_one_and_asked_last_afterwards(string part, string bindName)
    {
        var (directory, bind) = (LabDirectory.Get(part), LabBind.Get(bindName));
        directory.Require();
        await using var relay = LabRelay.Start(directory.GetEndPoint(bind.UseTls), unit => [unit.Bytes]);
        await using var reader = LabReader.Create(
            directory, bind, [directory.Server with { Port = GetFreePort(), Address = IPAddress.Loopback }, GetRelayed(directory, relay)]);

        (await reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop)).ShouldNotBeNull();
        (await reader.Client.FindEntryAsync(directory.GetPerson(2), [directory.Naming], Stop)).ShouldNotBeNull();

        // The second search used the idle connection.
        relay.Connections.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Binds))]
    public async Task A_search_is_repeated_once_if_its_connection_ended_while_it_was_idle(string part, string bindName)
    {
        var (directory, bind) = (LabDirectory.Get(part), LabBind.Get(bindName));
        directory.Require();
        await using var relay = LabRelay.Start(directory.GetEndPoint(bind.UseTls), unit => [unit.Bytes]);
        await using var reader = LabReader.Create(directory, bind, [GetRelayed(directory, relay)]);
        (await reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop)).ShouldNotBeNull();
        relay.Reset();

        (await reader.Client.FindEntryAsync(directory.GetPerson(2), [directory.Naming], Stop)).ShouldNotBeNull();

        relay.Connections.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Binds))]
    public async Task A_server_that_becomes_silent_costs_no_more_than_the_time_for_an_answer(string part, string bindName)
    {
        var (directory, bind) = (LabDirectory.Get(part), LabBind.Get(bindName));
        directory.Require();
        await using var relay = LabRelay.Start(
            directory.GetEndPoint(bind.UseTls), unit => unit.Number < (bind.UseTls ? 20 : 6) ? [unit.Bytes] : []);
        await using var reader = LabReader.Create(
            directory, bind, [GetRelayed(directory, relay)], configure: options => options.AnswerTimeout = TimeSpan.FromSeconds(1));
        var start = Stopwatch.GetTimestamp();

        var error = await Should.ThrowAsync<DirectoryException>(
            () => reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(directory) with { PageSize = 100 }, Stop));

        error.Failure.ShouldBe(DirectoryFailure.Unavailable);
        error.Message.ShouldContain("AnswerTimeout");
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task A_sealed_message_with_one_changed_bit_is_rejected_wherever_the_bit_is(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        foreach (var bind in LabBind.All.Where(bind => !bind.UseTls))
        {
            // Behind the length: token ID, flags, filler, EC, RRC, sequence number (RFC 4121 §4.2.6.2), then the cipher text.
            foreach (var offset in (int[])[4, 5, 6, 7, 8, 9, 10, 11, 12, 19, 20, 35, 36, 52, -13, -12, -1])
            {
                var error = await ReadThroughAsync(directory, bind, unit =>
                {
                    var bytes = unit.Bytes;
                    bytes[offset < 0 ? bytes.Length + offset : offset] ^= 1;
                    return [bytes];
                });
                error.ShouldNotBeNull($"{bind.Name}, offset {offset}").Failure.ShouldBe(DirectoryFailure.AnswerRejected, error.Message);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task A_sealed_message_that_is_repeated_left_out_or_in_the_clear_is_rejected(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        foreach (var bind in LabBind.All.Where(bind => !bind.UseTls))
        {
            byte[]? last = null;
            var repeated = await ReadThroughAsync(directory, bind, unit =>
            {
                var answer = last ?? unit.Bytes;
                last = unit.Bytes;
                return [answer];
            });
            repeated.ShouldNotBeNull().Failure.ShouldBe(DirectoryFailure.AnswerRejected);

            var count = 0;
            var leftOut = await ReadThroughAsync(directory, bind, unit => count++ == 0 ? [] : [unit.Bytes], isLargeSearch: true);
            // Samba seals this page in one message. Nothing follows it, so the client gives the server up.
            leftOut.ShouldNotBeNull().Failure.ShouldBe(
                directory.IsSamba ? DirectoryFailure.Unavailable : DirectoryFailure.AnswerRejected);

            // SearchResultDone with success for the messages 2 to 9.
            byte[][] clear = [.. Enumerable.Range(2, 8).Select(id => (byte[])[0x30, 12, 2, 1, (byte)id, 0x65, 7, 10, 1, 0, 4, 0, 4, 0])];
            var inTheClear = await ReadThroughAsync(directory, bind, _ => clear);
            inTheClear.ShouldNotBeNull().Failure.ShouldBe(DirectoryFailure.AnswerRejected);
        }
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task A_certificate_of_another_authority_or_another_name_is_refused(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        var bind = LabBind.Get("GSSAPI in TLS");
        var other = directory == LabDirectory.OpenLdap ? LabDirectory.Samba : LabDirectory.OpenLdap;
        other.Require();
        await using var untrusted = LabReader.Create(directory, bind, configure: options =>
        {
            options.TrustAnchors.Clear();
            options.TrustAnchors.Add(other.LoadAuthority());
        });
        await using var misnamed = LabReader.Create(
            directory, bind,
            [directory.Server with { Port = other.GetEndPoint(useTls: true).Port, Address = other.Server.Address }],
            configure: options => options.TrustAnchors.Add(other.LoadAuthority()));

        foreach (var reader in (LabReader[])[untrusted, misnamed])
        {
            var error = await Should.ThrowAsync<DirectoryException>(() => reader.Client.FindEntryAsync("", ["namingContexts"], Stop));
            error.Failure.ShouldBe(DirectoryFailure.AnswerRejected);
            error.Message.ShouldContain("certificate");
        }
    }

    [Theory]
    [InlineData("openldap", "GSSAPI in TLS", true)]
    [InlineData("openldap", "GSS-SPNEGO in TLS", true)]
    [InlineData("samba", "GSSAPI in TLS", false)]
    [InlineData("samba", "GSS-SPNEGO in TLS", false)]
    [InlineData("samba22", "GSSAPI in TLS", true)]
    [InlineData("samba22", "GSS-SPNEGO in TLS", true)]
    public async Task A_server_that_checks_channel_bindings_refuses_a_connection_that_a_device_intercepts(
        string part, string bind, bool checksBindings)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var relay = InterceptingRelay.Start(directory.GetEndPoint(useTls: true), directory.Server.Name);
        await using var reader = LabReader.Create(
            directory, LabBind.Get(bind), [directory.Server with { Port = relay.Port, Address = IPAddress.Loopback }],
            configure: options => options.TrustAnchors.Add(relay.Certificate));

        var read = () => reader.Client.FindEntryAsync("", ["namingContexts"], Stop);

        if (checksBindings)
        {
            var error = await Should.ThrowAsync<DirectoryException>(read);
            error.ResultCode.ShouldBe(InvalidCredentials, error.Message);
        }
        else
            (await read()).ShouldNotBeNull();
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task A_reference_to_another_server_is_not_followed(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var reader = LabReader.Create(directory, LabBind.All[0]);
        if (!directory.IsSamba)
        {
            // Samba has no such entry, and answers with noSuchObject for the name of another domain.
            var error = await Should.ThrowAsync<DirectoryException>(
                () => reader.Client.SearchAsync(new LdapSearch { Base = "ou=away," + directory.Suffix }, Stop));
            error.ResultCode.ShouldBe(Referral);
            error.Message.ShouldContain("ldap://elsewhere.test");
            error.Message.ShouldContain("Referrals are not followed");
        }

        // The other parts of the directory are references in the answer to a search of the whole.
        var found = await reader.Client.SearchAsync(
            new LdapSearch { Base = directory.Suffix, Filter = LdapFilter.Equal(directory.Naming, directory.Initial + "0007") }, Stop);
        found.ShouldHaveSingleItem().Name.ShouldBe(directory.GetPerson(7), StringCompareShould.IgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task A_result_beyond_a_bound_of_the_client_is_an_error_and_not_a_part(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        foreach (var configure in (Action<DirectoryClientOptions>[])
            [options => options.MaxEntries = 1500, options => options.MaxResultLength = 20_000])
        {
            await using var reader = LabReader.Create(directory, LabBind.All[0], configure: configure);
            var error = await Should.ThrowAsync<DirectoryException>(
                () => reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(directory), Stop));
            error.Failure.ShouldBe(DirectoryFailure.TooLarge);
        }
        foreach (var configure in (Action<DirectoryClientOptions>[])
            [options => options.MaxValues = 1999, options => options.MaxMessageLength = 20_000])
        {
            await using var reader = LabReader.Create(directory, LabBind.All[0], configure: configure);
            await Should.ThrowAsync<DirectoryException>(() => reader.Client.FindEntryAsync(directory.Group, ["member"], Stop));
        }
    }

    [Fact]
    public async Task A_search_without_pages_that_the_server_limits_is_an_error_and_not_a_part()
    {
        LabDirectory.OpenLdap.Require();
        await using var reader = LabReader.Create(LabDirectory.OpenLdap, LabBind.All[0]);

        var error = await Should.ThrowAsync<DirectoryException>(
            () => reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(LabDirectory.OpenLdap) with { PageSize = 0 }, Stop));

        error.ResultCode.ShouldBe(SizeLimitExceeded);
        error.Message.ShouldContain("PageSize");
    }

    [Theory]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task Values_that_the_server_returns_in_ranges_are_complete(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var reader = LabReader.Create(directory, LabBind.All[0]);

        // Samba returns all values unless a range is requested.
        var group = (await reader.Client.FindEntryAsync(directory.Group, ["member;range=0-299"], Stop)).ShouldNotBeNull();

        group.AttributeNames.ShouldBe(["member"]);
        group.GetTexts("member").Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(LabDirectory.Members);
    }

    [Theory]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task Names_in_a_chain_and_security_descriptors_are_found(string part)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var reader = LabReader.Create(directory, LabBind.All[0]);

        var members = await reader.Client.SearchAsync(
            DirectoryRow.CreatePeopleSearch(directory) with { Filter = LdapFilter.ReachedFrom("memberOf", directory.Group) }, Stop);
        members.Count.ShouldBe(LabDirectory.Members);

        var search = new LdapSearch
        {
            Base = directory.Group, Scope = LdapScope.Base, Attributes = ["nTSecurityDescriptor"], ReadsSecurityDescriptors = true,
        };
        var descriptor = (await reader.Client.SearchAsync(search, Stop)).ShouldHaveSingleItem().GetValues("nTSecurityDescriptor");
        descriptor.ShouldHaveSingleItem().Span[0].ShouldBe((byte)1);
    }

    [Theory]
    [InlineData("samba", "GSSAPI")]
    [InlineData("samba", "GSS-SPNEGO")]
    [InlineData("samba22", "GSSAPI")]
    [InlineData("samba22", "GSS-SPNEGO")]
    public async Task A_page_that_is_longer_than_a_message_may_be_arrives_in_several_sealed_messages(string part, string bind)
    {
        var directory = LabDirectory.Get(part);
        directory.Require();
        await using var reader = LabReader.Create(
            directory, LabBind.Get(bind), configure: options => options.MaxMessageLength = 100_000);

        var found = await reader.Client.SearchAsync(
            DirectoryRow.CreatePeopleSearch(directory) with
            {
                PageSize = LabDirectory.Members, Attributes = ["nTSecurityDescriptor"], ReadsSecurityDescriptors = true,
            },
            Stop);

        found.Count.ShouldBe(directory.Count);
        found.Sum(entry => (long)entry.GetValues("nTSecurityDescriptor").Sum(value => value.Length)).ShouldBeGreaterThan(1_000_000);
    }

    [Fact]
    public async Task The_password_of_a_managed_account_is_returned_to_its_reader_only()
    {
        var directory = LabDirectory.Samba22;
        directory.Require();
        foreach (var bind in LabBind.All)
        {
            await using var member = LabReader.Create(directory, bind);
            await using var other = LabReader.Create(directory, bind, account: ("svc-connector", "connector"));
            var search = new LdapSearch
            {
                Base = directory.Suffix, Filter = LdapFilter.Equal("sAMAccountName", "gmsa$"), Attributes = ["msDS-ManagedPassword"],
                ReadsSecrets = true,
            };

            using var read = (await member.Client.SearchAsync(search, Stop)).ShouldHaveSingleItem();
            // MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS §2.2.19): version 1 and the length.
            var blob = read.GetValues("msDS-ManagedPassword").ShouldHaveSingleItem(bind.Name);
            BitConverter.ToUInt16(blob.Span).ShouldBe((ushort)1);
            BitConverter.ToUInt32(blob.Span[4..]).ShouldBe((uint)blob.Length);
            (await other.Client.SearchAsync(search, Stop)).ShouldHaveSingleItem().AttributeNames.ShouldBeEmpty(bind.Name);
        }
    }

    [Fact]
    public async Task A_server_that_is_killed_and_started_again_is_used_again()
    {
        var directory = LabDirectory.OpenLdap;
        directory.Require();
        await using var reader = LabReader.Create(directory, LabBind.All[0]);
        (await reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop)).ShouldNotBeNull();
        await Lab.RunScriptAsync("openldap", ["server", "kill"], Stop);
        try
        {
            var error = await Should.ThrowAsync<DirectoryException>(
                () => reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop));
            error.Failure.ShouldBe(DirectoryFailure.Unavailable);
        }
        finally
        {
            await Lab.RunScriptAsync("openldap", ["server", "start"], CancellationToken.None);
        }

        (await reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop)).ShouldNotBeNull();
    }

    // Runs a search over a relay that changes the sealed messages, and returns its error.
    private static async Task<DirectoryException?> ReadThroughAsync(
        LabDirectory directory, LabBind bind, RelayRule change, bool isLargeSearch = false)
    {
        await using var relay = LabRelay.Start(
            directory.GetEndPoint(bind.UseTls), unit => unit.IsSealed ? change(unit) : [unit.Bytes]);
        await using var reader = LabReader.Create(
            directory, bind, [GetRelayed(directory, relay)], configure: options => options.Timeout = TimeSpan.FromSeconds(4));
        try
        {
            if (isLargeSearch)
                await reader.Client.SearchAsync(DirectoryRow.CreatePeopleSearch(directory), Stop);
            else
            {
                await reader.Client.FindEntryAsync(directory.GetPerson(1), [directory.Naming], Stop);
                await reader.Client.FindEntryAsync(directory.GetPerson(2), [directory.Naming], Stop);
            }
            return null;
        }
        catch (DirectoryException error)
        {
            return error;
        }
    }

    private static DirectoryServer GetRelayed(LabDirectory directory, LabRelay relay) =>
        directory.Server with { Port = relay.Port, Address = IPAddress.Loopback };

    private static int GetFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
