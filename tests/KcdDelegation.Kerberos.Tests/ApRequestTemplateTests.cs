using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tests.Crypto;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests;

public sealed class ApRequestTemplateTests
{
    private const string Web = "HTTP/app";

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public async Task Every_token_has_the_length_of_the_first_and_nothing_else_in_common_behind_the_prefix(EncryptionType type)
    {
        await using var realm = Start(type);
        var ticket = realm.IssueTicket("ada", Web);
        var template = ticket.CreateApRequest();
        var tails = Enumerable.Range(0, 2_000).Select(_ => WriteTail(template)).ToList();
        tails.Select(Convert.ToHexString).ShouldBeUnique();
        // The first block is the confounder's, encrypted from a zero vector: alike only where confounders are.
        tails.Select(tail => Convert.ToHexString(tail, 0, EncryptionProfile.ConfounderLength)).ShouldBeUnique();

        var authenticators = tails.ConvertAll(tail => Open(ticket, template, tail));
        authenticators.Select(authenticator => (authenticator.Time, authenticator.Microseconds)).ShouldBeUnique();
        authenticators.Select(authenticator => Convert.ToHexString(authenticator.Subkey!.Bytes)).ShouldBeUnique();
        authenticators.ShouldAllBe(
            authenticator => authenticator.SequenceNumber >= 0x4000_0000 && authenticator.SequenceNumber < 0x8000_0000);
        authenticators.Select(authenticator => authenticator.SequenceNumber).Distinct().Count().ShouldBeGreaterThan(1_990);
        authenticators.ShouldAllBe(authenticator => authenticator.Client.ToString() == "ada" && authenticator.Subkey!.Type == type);
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public async Task A_warm_template_allocates_nothing(EncryptionType type)
    {
        await using var realm = Start(type);
        var template = realm.IssueTicket("ada", Web).CreateApRequest();
        var tail = new byte[template.TailLength];
        template.WriteTail(tail);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++)
            template.WriteTail(tail);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public async Task Threads_share_a_template()
    {
        await using var realm = Start(EncryptionType.Aes256CtsHmacSha1);
        var ticket = realm.IssueTicket("ada", Web);
        var template = ticket.CreateApRequest();
        var timestamps = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 500).Select(_ => Open(ticket, template, WriteTail(template)))
                .Select(opened => (opened.Time, opened.Microseconds)).ToList())));
        timestamps.SelectMany(each => each).ShouldBeUnique();
    }

    [Fact]
    public async Task Tickets_of_one_user_share_one_timestamp_sequence()
    {
        await using var realm = Start(EncryptionType.Aes256CtsHmacSha1);
        var tickets = Enumerable.Range(0, 4).Select(_ => realm.IssueTicket("ada", Web)).ToList();
        var templates = tickets.ConvertAll(ticket => (Ticket: ticket, Template: ticket.CreateApRequest()));
        Enumerable.Range(0, 2_000).Select(i => templates[i % 4])
            .Select(pair => Open(pair.Ticket, pair.Template, WriteTail(pair.Template)))
            .Select(opened => (opened.Time, opened.Microseconds))
            .ShouldBeUnique();
    }

    [Fact]
    public async Task A_ticket_whose_client_was_disposed_makes_no_token_and_leaves_nothing_in_the_buffer()
    {
        await using var realm = Start(EncryptionType.Aes256CtsHmacSha1);
        var ticket = realm.IssueTicket("ada", Web);
        var (used, fresh) = (ticket.CreateApRequest(), ticket.CreateApRequest());
        WriteTail(used);
        var untouched = realm.IssueTicket("ada", Web);
        var first = untouched.CreateApRequest();

        // The key alone, as when the client is disposed between the ticket's check and the encryption.
        ticket.Issued.Dispose();
        untouched.Issued.Dispose();
        foreach (var template in (ApRequestTemplate[])[used, fresh, first])
        {
            var tail = new byte[template.TailLength];
            tail.AsSpan().Fill(0xCC);
            Should.Throw<InvalidOperationException>(() => template.WriteTail(tail)).ShouldNotBeOfType<ObjectDisposedException>();
            tail.ShouldAllBe(value => value == 0);
        }
    }

    [Fact]
    public async Task A_purged_ticket_makes_no_token()
    {
        await using var realm = Start(EncryptionType.Aes256CtsHmacSha1);
        var ticket = realm.IssueTicket("ada", Web);
        var template = ticket.CreateApRequest();
        ((ICachedTicket)ticket).Retire();
        Should.Throw<InvalidOperationException>(() => WriteTail(template)).Message.ShouldContain("purged");
        Should.Throw<InvalidOperationException>(() => ticket.CreateApRequest());
    }

    [Fact]
    public async Task A_ticket_that_has_ended_makes_no_token()
    {
        var time = new TicketCache.ManualClock();
        await using var realm = TestRealm.Start(timeProvider: time).User("ada").Service(Web);
        var template = realm.IssueTicket("ada", Web).CreateApRequest();
        WriteTail(template);
        time.Advance(TimeSpan.FromDays(1));
        Should.Throw<InvalidOperationException>(() => WriteTail(template)).Message.ShouldContain("ended");
    }

    [Fact]
    public async Task A_buffer_that_is_too_short_is_refused()
    {
        await using var realm = Start(EncryptionType.Aes256CtsHmacSha1);
        var template = realm.IssueTicket("ada", Web).CreateApRequest();
        Should.Throw<ArgumentException>(() => template.WriteTail(new byte[template.TailLength - 1]));
        var longer = new byte[template.TailLength + 5];
        template.WriteTail(longer);
        longer[template.TailLength..].ShouldBe(new byte[5]);
    }

    [Theory]
    [InlineData(0, "19700101000000Z")]
    [InlineData(951_782_399, "20000228235959Z")]
    [InlineData(951_782_400, "20000229000000Z")]
    [InlineData(2_147_483_648, "20380119031408Z")]
    public void The_time_is_written_as_KerberosTime(long unixSeconds, string expected)
    {
        for (var round = 0; round < 2; round++)
        {
            var text = new byte[KerberosTimeText.Length];
            KerberosTimeText.Write(text, unixSeconds);
            System.Text.Encoding.ASCII.GetString(text).ShouldBe(expected);
        }
    }

    private static TestRealm Start(EncryptionType type) => TestRealm.Start().User("ada").Service(Web, encryptionTypes: [type]);

    private static byte[] WriteTail(ApRequestTemplate template)
    {
        var tail = new byte[template.TailLength];
        template.WriteTail(tail);
        return tail;
    }

    private static Authenticator Open(ServiceTicket ticket, ApRequestTemplate template, byte[] tail)
    {
        template.CreatePrefix().ShouldBe(template.Prefix.ToArray());
        var (type, message) = GssKerberosToken.Unwrap((byte[])[.. template.Prefix.Span, .. tail]);
        type.ShouldBe(GssKerberosToken.ApRequestToken);
        return Authenticator.Decode(
            ApRequest.Decode(message).Authenticator.Decrypt(ticket.Issued.SessionKey, KeyUsage.ApRequestAuthenticator));
    }
}
