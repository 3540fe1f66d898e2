using System.Text;
using KcdDelegation.DirectoryServices.Tests.Servers;
using KcdDelegation.Kerberos.Tests.ApExchange;

namespace KcdDelegation.DirectoryServices.Tests;

/// <summary>Servers that lie after and during the bind. Each lie ends the search with its reason, within the bounds.</summary>
public sealed class LyingServerTests
{
    [Fact]
    public async Task An_honest_server_is_searched_on_one_connection()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
            [LdapAnswers.Entry(request.Id, "CN=ada", ("cn", LdapAnswers.Texts("ada"))), LdapAnswers.Done(request.Id)];
        for (var round = 0; round < 3; round++)
        {
            var entry = (await directory.SearchAsync()).ShouldHaveSingleItem();
            entry.Name.ShouldBe("CN=ada");
            entry.GetText("CN").ShouldBe("ada");
            entry.GetValues("mail").ShouldBeEmpty();
        }
        directory.Server.Connections.ShouldBe(1);
        directory.Server.Requests.ShouldAllBe(each => each.Request.Attributes.SequenceEqual(new[] { "cn", "member" }));
    }

    [Fact]
    public async Task Pages_are_read_to_the_end()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
        {
            request.HasPage.ShouldBeTrue();
            var page = request.Cookie.Length == 0 ? 0 : request.Cookie[0];
            return [.. Enumerable.Range(0, 3).Select(i => LdapAnswers.Entry(request.Id, $"CN={page}-{i}")),
                LdapAnswers.Done(request.Id, cookie: page < 4 ? [(byte)(page + 1)] : [])];
        };
        (await directory.SearchAsync(pageSize: 3)).Select(entry => entry.Name).ShouldBe(
            Enumerable.Range(0, 5).SelectMany(page => Enumerable.Range(0, 3).Select(i => $"CN={page}-{i}")));
    }

    [Fact]
    public async Task Ranges_of_values_are_joined()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
        {
            var first = request.Attributes.Contains("member") ? 0
                : int.Parse(request.Attributes[0].Split('=', '-')[1], System.Globalization.CultureInfo.InvariantCulture);
            var last = first < 3000 ? $"{first + 1499}" : "*";
            var values = LdapAnswers.Texts([.. Enumerable.Range(first, 1500).Select(i => $"CN=user{i}")]);
            return [LdapAnswers.Entry(request.Id, "CN=group", ("member", []), ($"member;range={first}-{last}", values)),
                LdapAnswers.Done(request.Id)];
        };
        var group = (await directory.SearchAsync()).ShouldHaveSingleItem();
        group.GetTexts("member").ShouldBe(Enumerable.Range(0, 4500).Select(i => $"CN=user{i}"));
        group.AttributeNames.ShouldBe(["member"]);
    }

    [Theory]
    [InlineData("member;range=0-")]
    [InlineData("member;range=5-2")]
    [InlineData("member;range=x-y")]
    [InlineData("member;range=0-2147483647")]
    [InlineData("member;range=0-99999999999999")]
    public async Task A_range_that_is_not_valid_is_refused(string type)
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
            [LdapAnswers.Entry(request.Id, "CN=group", (type, LdapAnswers.Texts("a"))), LdapAnswers.Done(request.Id)];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "range of values");
    }

    [Fact]
    public async Task A_range_that_never_moves_on_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
            [LdapAnswers.Entry(request.Id, "CN=group", ("member;range=0-1", LdapAnswers.Texts("a", "b"))), LdapAnswers.Done(request.Id)];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "does not continue");
    }

    [Fact]
    public async Task A_message_with_another_ID_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id + 1)];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "instead of");
    }

    [Fact]
    public async Task An_answer_of_an_earlier_search_is_refused()
    {
        await using var directory = new TestDirectory();
        await directory.SearchAsync();
        directory.Server.Answer = request => [LdapAnswers.Entry(request.Id - 1, "CN=other"), LdapAnswers.Done(request.Id)];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "instead of");
    }

    [Fact]
    public async Task Entries_without_end_stop_at_the_bound()
    {
        await using var directory = new TestDirectory(options => options.MaxEntries = 500);
        directory.Server.Answer = request => Enumerable.Repeat(LdapAnswers.Entry(request.Id, "CN=x"), int.MaxValue);
        await RefusesAsync(directory, DirectoryFailure.TooLarge, "more than 500 entries");
    }

    [Fact]
    public async Task References_without_end_stop_at_the_bound()
    {
        await using var directory = new TestDirectory(options => options.MaxEntries = 500);
        directory.Server.Answer = request => Enumerable.Repeat(LdapAnswers.Reference(request.Id, "ldap://other.test"), int.MaxValue);
        await RefusesAsync(directory, DirectoryFailure.TooLarge, "more than 500 entries");
    }

    [Fact]
    public async Task Pages_without_end_stop()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, cookie: [1])];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "repeats an empty page", pageSize: 10);
    }

    [Fact]
    public async Task Empty_pages_with_new_cookies_stop_at_the_bound()
    {
        await using var directory = new TestDirectory(options => options.MaxResultLength = 100_000);
        var count = 0;
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, cookie: BitConverter.GetBytes(count++))];
        await RefusesAsync(directory, DirectoryFailure.TooLarge, "100000 bytes", pageSize: 10);
    }

    [Fact]
    public async Task An_entry_with_too_many_values_stops_at_the_bound()
    {
        await using var directory = new TestDirectory(options => options.MaxValues = 100);
        byte[][] values = [.. Enumerable.Repeat(Array.Empty<byte>(), 101)];
        directory.Server.Answer = request => [LdapAnswers.Entry(request.Id, "CN=x", ("member", values)), LdapAnswers.Done(request.Id)];
        await RefusesAsync(directory, DirectoryFailure.TooLarge, "more than 100 values");
    }

    [Fact]
    public async Task A_referral_is_an_error_that_names_it()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, 10, referral: "ldap://evil.example/DC=x")];
        var error = await RefusesAsync(directory, DirectoryFailure.Refused, "referral to ldap://evil.example/DC=x");
        error.ResultCode.ShouldBe(10);
        directory.Server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task References_to_other_servers_are_not_followed()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Reference(request.Id, "ldap://evil.example"), LdapAnswers.Done(request.Id)];
        (await directory.SearchAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1, "operationsError", "not encrypted")]
    [InlineData(3, "timeLimitExceeded", "Narrow")]
    [InlineData(4, "sizeLimitExceeded", "PageSize")]
    [InlineData(8, "strongerAuthRequired", "UseTls")]
    [InlineData(11, "adminLimitExceeded", "Narrow")]
    [InlineData(32, "noSuchObject", "base")]
    [InlineData(50, "insufficientAccessRights", "right")]
    [InlineData(53, "unwillingToPerform", "text")]
    public async Task A_refusal_is_named_and_has_a_remedy(int code, string name, string remedy)
    {
        await using var directory = new TestDirectory(servers: 2);
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, code, diagnostic: "the text of the server\u0001\n")];
        var error = await RefusesAsync(directory, DirectoryFailure.Refused, name);
        error.Message.ShouldContain(remedy);
        error.Message.ShouldContain("the text of the server");
        error.Message.ShouldNotContain("\n");
        // A refusal is final: no other server is asked.
        directory.Servers[1].Connections.ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_critical_control_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, criticalControl: "1.2.3.4")];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "1.2.3.4");
    }

    [Fact]
    public async Task A_notice_of_disconnection_is_understood()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = _ => [LdapAnswers.Notice()];
        await RefusesAsync(directory, DirectoryFailure.Unavailable, "shutting down");
    }

    [Fact]
    public async Task A_message_in_the_indefinite_form_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = _ => [[0x30, 0x80, 2, 1, 5, 0, 0]];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "no message of LDAP");
        directory.Server.Answer = request =>
        {
            // An inner sequence in the indefinite form: SearchResultDone [APPLICATION 5].
            byte[] inner = [2, 1, (byte)request.Id, 0x65, 0x80, 0x0A, 1, 0, 4, 0, 4, 0, 0, 0];
            return [[0x30, (byte)inner.Length, .. inner]];
        };
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "indefinite");
    }

    [Fact]
    public async Task A_length_of_too_many_bytes_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = _ => [[0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1]];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "too many bytes");
    }

    [Fact]
    public async Task A_message_that_is_cut_anywhere_is_refused()
    {
        await using var directory = new TestDirectory(options => options.Timeout = TimeSpan.FromMilliseconds(400));
        var whole = LdapAnswers.Entry(1, "CN=ada", ("cn", LdapAnswers.Texts("ada")));
        for (var cut = 2; cut < whole.Length; cut++)
        {
            directory.Server.Answer = request =>
            {
                var message = LdapAnswers.Entry(request.Id, "CN=ada", ("cn", LdapAnswers.Texts("ada")))[..cut];
                // The outer length fits, so that the inner fields are what is cut.
                message[1] = (byte)(cut - 2);
                return [message];
            };
            await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "malformed");
        }
    }

    [Fact]
    public async Task A_slow_server_is_given_up_in_time()
    {
        await using var directory = new TestDirectory(options => options.Timeout = TimeSpan.FromMilliseconds(700));
        directory.Server.Drip = TimeSpan.FromMilliseconds(40);
        directory.Server.Answer = request => Enumerable.Repeat(LdapAnswers.Entry(request.Id, "CN=x"), int.MaxValue);
        var start = TimeProvider.System.GetTimestamp();
        await RefusesAsync(directory, DirectoryFailure.Unavailable, "not complete within");
        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    public static TheoryData<string> FrameLies => new("plain", "signed", "flipped", "repeated", "oversized", "empty", "reflected");

    [Theory]
    [MemberData(nameof(FrameLies))]
    public async Task A_frame_that_is_not_sealed_as_agreed_is_refused(string lie)
    {
        await using var directory = new TestDirectory();
        byte[]? first = null;
        directory.Server.Answer = request => [LdapAnswers.Entry(request.Id, "CN=x"), LdapAnswers.Done(request.Id)];
        directory.Server.ChangeFrame = (acceptor, frame) => lie switch
        {
            "plain" => LdapAnswers.Done(5),
            "signed" => LyingServer.Frame(acceptor.Sign(LdapAnswers.Done(5))),
            "flipped" => Flip(frame),
            "repeated" => [.. first ??= frame, .. first],
            "oversized" => [0x7F, 0xFF, 0xFF, 0xFF],
            "empty" => [0, 0, 0, 0],
            _ => LyingServer.Frame(ClientFrame(acceptor)),
        };
        var error = await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync());
        error.Failure.ShouldBe(DirectoryFailure.AnswerRejected, error.Message);

        static byte[] Flip(byte[] frame)
        {
            frame[^1] ^= 1;
            return frame;
        }

        static byte[] ClientFrame(GssAcceptor acceptor) => Kerberos.Messages.GssMessageToken.Seal(
            acceptor.Key, Kerberos.Crypto.KeyUsage.InitiatorSeal, Kerberos.Messages.GssMessageFlags.AcceptorSubkey, 78, [1]);
    }

    [Fact]
    public async Task A_sealed_frame_may_hold_parts_of_messages()
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
        {
            byte[] entries = [.. LdapAnswers.Entry(request.Id, "CN=a"), .. LdapAnswers.Entry(request.Id, "CN=b")];
            return entries.Concat(LdapAnswers.Done(request.Id)).Chunk(7);
        };
        (await directory.SearchAsync()).Select(entry => entry.Name).ShouldBe(["CN=a", "CN=b"]);
    }

    [Fact]
    public async Task A_server_without_encryption_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.Layers = [1, 0, 0, 0];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "does not offer encryption");
        directory.Server.Layers = [3, 0, 0xFF, 0xFF];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "does not offer encryption");
        directory.Server.Layers = [7, 0, 0, 9];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "9 bytes only");
        directory.Server.Layers = [7, 0, 0];
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "3 bytes instead of 4");
        directory.Server.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Success_before_the_proof_is_refused(int when)
    {
        await using var directory = new TestDirectory();
        directory.Server.ChangeBind = (step, id, message) => step == when ? LdapAnswers.Bind(id, 0) : message;
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "before it proved itself");
        directory.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bind_without_end_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.ChangeBind = (step, id, message) => step == 2 ? LdapAnswers.Bind(id, 14, [1, 2, 3]) : message;
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "continues the bind");
    }

    [Fact]
    public async Task A_proof_with_another_key_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.ChangeBind = (step, id, message) =>
        {
            if (step == 0)
                message[^1] ^= 1;
            return message;
        };
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "proof is not valid");
    }

    [Theory]
    [InlineData("80090308: LdapErr: DSID-0C09, data 52e, v4563", "service principal name")]
    [InlineData("80090308: LdapErr: DSID-0C09, data 533, v4563", "Enable")]
    [InlineData("80090308: LdapErr: DSID-0C09, data 775, v4563", "Unlock")]
    [InlineData("80090346: LdapErr: DSID-0C09, data 80090346, v4563", "channel binding")]
    public async Task A_refused_bind_has_the_remedy_of_its_cause(string diagnostic, string remedy)
    {
        await using var directory = new TestDirectory();
        directory.Server.ChangeBind = (_, id, _) => LdapAnswers.Bind(id, 49, diagnostic: diagnostic);
        var error = await RefusesAsync(directory, DirectoryFailure.Refused, "invalidCredentials");
        error.Message.ShouldContain(remedy);
    }

    [Fact]
    public async Task Data_behind_the_bind_in_clear_text_is_refused()
    {
        await using var directory = new TestDirectory();
        directory.Server.ChangeBind = (step, id, message) => step == 2 ? [.. message, .. LdapAnswers.Entry(4, "CN=injected")] : message;
        await RefusesAsync(directory, DirectoryFailure.AnswerRejected, "unprotected data");
    }

    [Fact]
    public async Task The_next_server_answers_when_the_first_lies_or_is_away()
    {
        await using var directory = new TestDirectory(servers: 2);
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id + 7)];
        directory.Servers[1].Answer = request => [LdapAnswers.Entry(request.Id, "CN=second"), LdapAnswers.Done(request.Id)];
        (await directory.SearchAsync()).ShouldHaveSingleItem().Name.ShouldBe("CN=second");
        directory.Servers[1].Answer = request => [[]];
        await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync());
        // The second one closed its connections, and is still asked before the one that lied.
        directory.Servers[1].Connections.ShouldBe(2);
        directory.Server.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task A_search_is_sent_again_when_the_server_closed_an_idle_connection()
    {
        await using var directory = new TestDirectory();
        var count = 0;
        directory.Server.Answer = request => ++count == 2
            ? [[]]
            : [LdapAnswers.Entry(request.Id, "CN=x"), LdapAnswers.Done(request.Id)];
        (await directory.SearchAsync()).Count.ShouldBe(1);
        (await directory.SearchAsync()).Count.ShouldBe(1);
        directory.Server.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task A_lying_server_does_not_make_the_client_take_more_than_its_bounds()
    {
        await using var directory = new TestDirectory(options => options.MaxResultLength = 1 << 20);
        var entry = LdapAnswers.Entry(2, "CN=x", ("cn", [new byte[10_000]]));
        directory.Server.Answer = request =>
        {
            var message = LdapAnswers.Entry(request.Id, "CN=x", ("cn", [new byte[10_000]]));
            return Enumerable.Repeat(message, int.MaxValue);
        };
        entry.Length.ShouldBeGreaterThan(10_000);
        await RefusesAsync(directory, DirectoryFailure.TooLarge, "longer than 1048576 bytes");
        lock (directory.Server.Requests)
            directory.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Secret_values_are_zeroed_with_their_entry()
    {
        await using var directory = new TestDirectory();
        var secret = Encoding.ASCII.GetBytes("a secret value");
        directory.Server.Answer = request => [LdapAnswers.Entry(request.Id, "CN=x", ("cn", [secret])), LdapAnswers.Done(request.Id)];
        var entry = (await directory.SearchAsync(secrets: true)).ShouldHaveSingleItem();
        var value = entry.GetValues("cn").ShouldHaveSingleItem();
        value.ToArray().ShouldBe(secret);
        entry.Dispose();
        value.ToArray().ShouldAllBe(octet => octet == 0);
        entry.GetValues("cn").ShouldBeEmpty();
    }

    private static async Task<DirectoryException> RefusesAsync(
        TestDirectory directory, DirectoryFailure failure, string reason, int pageSize = 0)
    {
        var error = await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync(pageSize));
        error.Failure.ShouldBe(failure, error.Message);
        error.Message.ShouldContain(reason);
        return error;
    }
}
