using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.Crypto;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.ApExchange;

/// <summary>The initiator's context of RFC 4121 against an acceptor that may lie. The tests of the directory client prove the encodings
/// against Samba and MIT krb5.</summary>
public sealed class GssSecurityContextTests
{
    private static readonly byte[] s_message = Encoding.ASCII.GetBytes("a message of the directory");

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public async Task Messages_pass_in_both_directions(EncryptionType type)
    {
        await PassAsync(type, assertsSubkey: true);
        await PassAsync(type, assertsSubkey: false);
    }

    private static async Task PassAsync(EncryptionType type, bool assertsSubkey)
    {
        await using var setup = Setup.Start(type, assertsSubkey);
        for (var round = 0; round < 3; round++)
        {
            setup.Acceptor.Open(setup.Context.Wrap(s_message, seal: true), isSealed: true).ShouldBe(s_message);
            setup.Acceptor.Open(setup.Context.Wrap(s_message, seal: false), isSealed: false).ShouldBe(s_message);
            setup.Context.Unwrap(setup.Acceptor.Seal(s_message), mustBeSealed: true).ShouldBe(s_message);
            setup.Context.Unwrap(setup.Acceptor.Sign(s_message), mustBeSealed: false).ShouldBe(s_message);
            setup.Acceptor.VerifyMic(s_message, setup.Context.GetMic(s_message));
            setup.Context.VerifyMic(s_message, setup.Acceptor.CreateMic(s_message));
        }
        setup.Context.Unwrap(setup.Acceptor.Seal([]), mustBeSealed: true).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_encrypted_message_does_not_contain_its_text()
    {
        await using var setup = Setup.Start();
        var token = setup.Context.Wrap(s_message, seal: true);
        token.AsSpan().IndexOf(s_message).ShouldBe(-1);
        token[2].ShouldBe((byte)(GssMessageFlags.Sealed | GssMessageFlags.AcceptorSubkey));
    }

    [Fact]
    public async Task The_authenticator_asks_for_what_the_context_needs()
    {
        await using var setup = Setup.Start();
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(setup.Acceptor.Authenticator.Checksum!.Value.Span[20..]);
        const uint Messages = GssChecksum.Integrity | GssChecksum.Confidentiality;
        flags.ShouldBe(GssChecksum.Mutual | GssChecksum.Replay | GssChecksum.Sequence | Messages);
        setup.Acceptor.Request.Options.ShouldBe(ApRequest.MutualRequired);

        using var plain = GssSecurityContext.Create(setup.Ticket, GssProtection.None, "tls-server-end-point:x"u8.ToArray());
        var checksum = new GssAcceptor(setup.Ticket, plain.InitialToken, true).Authenticator.Checksum!.Value.Span;
        BinaryPrimitives.ReadUInt32LittleEndian(checksum[20..]).ShouldBe(GssChecksum.Mutual | GssChecksum.Replay | GssChecksum.Sequence);
        checksum[4..20].ContainsAnyExcept((byte)0).ShouldBeTrue();
    }

    [Fact]
    public async Task Another_subkey_and_sequence_number_are_used_for_each_context()
    {
        await using var setup = Setup.Start();
        var authenticators = Enumerable.Range(0, 20).Select(_ => new GssAcceptor(
            setup.Ticket, GssSecurityContext.Create(setup.Ticket, GssProtection.None).InitialToken, true).Authenticator).ToList();
        authenticators.Select(each => Convert.ToHexString(each.Subkey!.Bytes)).ShouldBeUnique();
        authenticators.Select(each => (each.Time, each.Microseconds)).ShouldBeUnique();
        authenticators.Select(each => each.SequenceNumber).ShouldBeUnique();
    }

    [Fact]
    public async Task An_answer_under_another_key_to_another_request_or_of_another_kind_is_refused()
    {
        await using var setup = Setup.Start(complete: false);
        Refuses(setup.Acceptor.CreateReply(TimeSpan.FromSeconds(1)), "answers another request");
        Refuses(setup.Acceptor.CreateReply(key: KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1)), "integrity check");
        Refuses(setup.Context.InitialToken.ToArray(), "not an AP-REP");

        void Refuses(byte[] reply, string reason)
        {
            using var context = GssSecurityContext.Create(setup.Ticket, GssProtection.Confidentiality);
            // The reply of a context that the acceptor knows: only what is tested differs.
            Should.Throw<KerberosException>(() => setup.Context.Complete(reply)).Message.ShouldContain(reason);
            Should.Throw<InvalidOperationException>(() => setup.Context.Wrap(s_message, seal: true));
            setup.Restart();
        }
    }

    [Fact]
    public async Task A_reply_that_is_cut_anywhere_is_refused()
    {
        await using var setup = Setup.Start(complete: false);
        var length = setup.Acceptor.CreateReply().Length;
        for (var cut = 0; cut < length; cut++)
        {
            var reply = setup.Acceptor.CreateReply()[..cut];
            Should.Throw<KerberosException>(() => setup.Context.Complete(reply));
            setup.Restart();
        }
    }

    [Fact]
    public async Task No_message_is_wrapped_before_the_service_has_proven_itself()
    {
        await using var setup = Setup.Start(complete: false);
        Should.Throw<InvalidOperationException>(() => setup.Context.Wrap(s_message, seal: true)).Message.ShouldContain("has not answered");
        var sealedMessage = setup.Acceptor.Seal(s_message);
        Should.Throw<InvalidOperationException>(() => setup.Context.Unwrap(sealedMessage, mustBeSealed: true));
    }

    [Fact]
    public async Task A_second_answer_is_refused()
    {
        await using var setup = Setup.Start();
        Should.Throw<InvalidOperationException>(() => setup.Context.Complete(setup.Acceptor.CreateReply()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_is_cut_or_changed_anywhere_is_refused(bool isSealed)
    {
        await using var setup = Setup.Start();
        var token = isSealed ? setup.Acceptor.Seal(s_message) : setup.Acceptor.Sign(s_message);
        for (var i = 0; i < token.Length; i++)
        {
            Open(token[..i]);
            var changed = token.ToArray();
            changed[i] ^= 0x40;
            Open(changed);
        }
        GssMessageToken.Open(setup.Acceptor.Key, KeyUsage.AcceptorSeal, Flags(), 77, token).ShouldBe(s_message);

        GssMessageFlags Flags() => GssMessageFlags.SentByAcceptor | GssMessageFlags.AcceptorSubkey
            | (isSealed ? GssMessageFlags.Sealed : GssMessageFlags.None);

        void Open(byte[] bytes) => Should.Throw<KerberosException>(
            () => GssMessageToken.Open(setup.Acceptor.Key, KeyUsage.AcceptorSeal, Flags(), 77, bytes));
    }

    [Fact]
    public async Task A_repeated_or_skipped_message_ends_the_context()
    {
        await using var setup = Setup.Start();
        var first = setup.Acceptor.Seal(s_message);
        setup.Context.Unwrap(first, mustBeSealed: true);
        Should.Throw<KerberosException>(() => setup.Context.Unwrap(first, mustBeSealed: true)).Message.ShouldContain("sequence number 77");
        var next = setup.Acceptor.Seal(s_message);
        Should.Throw<InvalidOperationException>(() => setup.Context.Unwrap(next, mustBeSealed: true)).Message.ShouldContain("refused");
        Should.Throw<InvalidOperationException>(() => setup.Context.Wrap(s_message, seal: true));

        await using var other = Setup.Start();
        other.Acceptor.Seal(s_message);
        var second = other.Acceptor.Seal(s_message);
        Should.Throw<KerberosException>(() => other.Context.Unwrap(second, mustBeSealed: true)).Message.ShouldContain("lost");
    }

    [Fact]
    public async Task A_signed_message_is_no_encrypted_one_and_a_reflected_one_is_refused()
    {
        await using var setup = Setup.Start();
        var signed = setup.Acceptor.Sign(s_message);
        Should.Throw<KerberosException>(() => setup.Context.Unwrap(signed, mustBeSealed: true)).Message.ShouldContain("is not encrypted");

        await using var other = Setup.Start();
        var own = other.Context.Wrap(s_message, seal: true);
        Should.Throw<KerberosException>(() => other.Context.Unwrap(own, mustBeSealed: true)).Message.ShouldContain("flags");
    }

    [Fact]
    public async Task A_message_under_the_other_subkey_is_refused()
    {
        await using var setup = Setup.Start();
        var flags = GssMessageFlags.SentByAcceptor | GssMessageFlags.AcceptorSubkey;
        var token = GssMessageToken.Seal(setup.Acceptor.Authenticator.Subkey!, KeyUsage.AcceptorSeal, flags, 77, s_message);
        Should.Throw<KerberosException>(() => setup.Context.Unwrap(token, mustBeSealed: true)).Message.ShouldContain("integrity check");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(28)]
    [InlineData(60)]
    [InlineData(65_535)]
    public async Task A_rotated_message_is_read(int count)
    {
        await using var setup = Setup.Start();
        var token = setup.Acceptor.Seal(s_message);
        var body = token.AsSpan(GssMessageToken.HeaderLength);
        var turned = count % body.Length;
        byte[] rotated = [.. token[..GssMessageToken.HeaderLength], .. body[^turned..], .. body[..^turned]];
        BinaryPrimitives.WriteUInt16BigEndian(rotated.AsSpan(6), (ushort)count);
        setup.Context.Unwrap(rotated, mustBeSealed: true).ShouldBe(s_message);
    }

    [Fact]
    public async Task A_disposed_context_wraps_nothing()
    {
        await using var setup = Setup.Start();
        setup.Context.Dispose();
        Should.Throw<InvalidOperationException>(() => setup.Context.Wrap(s_message, seal: true));
    }

    [Fact]
    public async Task An_account_gets_its_own_ticket_to_a_service_once()
    {
        await using var realm = TestRealm.Start().Account("gateway$").Service("ldap/dc.test");
        await using var client = realm.CreateClient("gateway$");
        var ticket = await client.GetAccountTicketAsync(ServicePrincipalName.Parse("ldap/dc.test"), TestContext.Current.CancellationToken);
        ticket.User.Name.ShouldBe("gateway$");
        ticket.Service.ToString().ShouldBe("ldap/dc.test");
        var again = await client.GetAccountTicketAsync(ServicePrincipalName.Parse("ldap/dc.test"), TestContext.Current.CancellationToken);
        again.ShouldBeSameAs(ticket);
        client.PurgeAll();
        ticket.IsUsable.ShouldBeFalse();
        Should.Throw<InvalidOperationException>(() => GssSecurityContext.Create(ticket, GssProtection.None));
    }

    private sealed class Setup : IAsyncDisposable
    {
        private readonly TestRealm _realm;
        private readonly bool _assertsSubkey;

        private Setup(EncryptionType type, bool assertsSubkey)
        {
            _assertsSubkey = assertsSubkey;
            _realm = TestRealm.Start().User("ada").Service("HTTP/app", encryptionTypes: [type]);
            Ticket = _realm.IssueTicket("ada", "HTTP/app");
            Restart();
        }

        public ServiceTicket Ticket { get; }

        public GssSecurityContext Context { get; private set; } = null!;

        public GssAcceptor Acceptor { get; private set; } = null!;

        public static Setup Start(
            EncryptionType type = EncryptionType.Aes256CtsHmacSha1, bool assertsSubkey = true, bool complete = true)
        {
            var setup = new Setup(type, assertsSubkey);
            if (complete)
                setup.Context.Complete(setup.Acceptor.CreateReply());
            return setup;
        }

        public void Restart()
        {
            Context?.Dispose();
            Context = GssSecurityContext.Create(Ticket, GssProtection.Confidentiality);
            Acceptor = new GssAcceptor(Ticket, Context.InitialToken, _assertsSubkey);
        }

        public async ValueTask DisposeAsync()
        {
            Context.Dispose();
            await _realm.DisposeAsync();
        }
    }
}
