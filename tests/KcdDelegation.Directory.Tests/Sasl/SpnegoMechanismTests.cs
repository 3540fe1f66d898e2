using System.Formats.Asn1;
using KcdDelegation.DirectoryServices.Sasl;
using KcdDelegation.DirectoryServices.Tests.Servers;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Tests.ApExchange;

namespace KcdDelegation.DirectoryServices.Tests.Sasl;

/// <summary>The negotiation of GSS-SPNEGO with a server that agrees, and with one that does not.</summary>
public sealed class SpnegoMechanismTests
{
    private const int Completed = 0;
    private const int Incomplete = 1;
    private const int Reject = 2;

    [Fact]
    public async Task The_server_accepts_with_its_proof()
    {
        await using var directory = new TestDirectory();
        using var bind = new Bind(directory);

        bind.Mechanism.Complete(Answer(Completed, GssMechanism.Kerberos, bind.Acceptor.CreateReply())).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_MIC_of_the_offered_mechanisms_is_accepted_and_any_other_is_refused()
    {
        await using var directory = new TestDirectory();
        var list = EncodeList(GssMechanism.MicrosoftKerberos, GssMechanism.Kerberos);
        using (var bind = new Bind(directory))
        {
            var (reply, mic) = (bind.Acceptor.CreateReply(), bind.Acceptor.CreateMic(list));
            bind.Mechanism.Complete(Answer(Completed, GssMechanism.Kerberos, reply, mic)).ShouldNotBeNull();
        }
        for (var octet = 0; octet < 28; octet++)
        {
            using var bind = new Bind(directory);
            var (reply, mic) = (bind.Acceptor.CreateReply(), bind.Acceptor.CreateMic(list));
            mic[octet] ^= 1;
            Refuses(() => bind.Mechanism.Complete(Answer(Completed, GssMechanism.Kerberos, reply, mic)), "proof is not valid");
        }
        // What a device would sign that removed a mechanism from the list, if it could.
        using (var bind = new Bind(directory))
        {
            var (reply, mic) = (bind.Acceptor.CreateReply(), bind.Acceptor.CreateMic(EncodeList(GssMechanism.Kerberos)));
            Refuses(() => bind.Mechanism.Complete(Answer(Completed, GssMechanism.Kerberos, reply, mic)), "proof is not valid");
        }
    }

    [Fact]
    public async Task The_client_sends_its_own_MIC_when_the_server_asks_for_it()
    {
        await using var directory = new TestDirectory();
        using var bind = new Bind(directory);
        var list = EncodeList(GssMechanism.MicrosoftKerberos, GssMechanism.Kerberos);
        var (reply, mic) = (bind.Acceptor.CreateReply(), bind.Acceptor.CreateMic(list));

        var answer = bind.Mechanism.Continue(Answer(Incomplete, GssMechanism.Kerberos, reply, mic));

        var fields = new AsnReader(answer, AsnEncodingRules.DER).ReadSequence(Context(1)).ReadSequence();
        byte[]? sent = null;
        while (fields.HasData)
        {
            var tag = fields.PeekTag();
            var field = fields.ReadSequence(tag);
            if (tag.TagValue == 3)
                sent = field.ReadOctetString();
        }
        bind.Acceptor.VerifyMic(list, sent.ShouldNotBeNull());
        bind.Mechanism.Complete(Answer(Completed)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Success_without_a_proof_is_refused()
    {
        await using var directory = new TestDirectory();
        foreach (var last in (ReadOnlyMemory<byte>?[])
            [null, ReadOnlyMemory<byte>.Empty, Answer(Completed), Answer(Completed, GssMechanism.Kerberos), Answer(null)])
        {
            using var bind = new Bind(directory);
            Refuses(() => bind.Mechanism.Complete(last), "before it proved itself");
        }
        // The proof alone is not the end of the negotiation.
        using var incomplete = new Bind(directory);
        Refuses(
            () => incomplete.Mechanism.Complete(Answer(Incomplete, GssMechanism.Kerberos, incomplete.Acceptor.CreateReply())),
            "before it proved itself");
    }

    [Fact]
    public async Task Another_mechanism_is_refused_with_every_state()
    {
        await using var directory = new TestDirectory();
        foreach (var mechanism in (string[])[GssMechanism.Ntlm, GssMechanism.NegoEx, GssMechanism.Spnego, "1.2.3"])
        foreach (var state in (int?[])[Completed, Incomplete, null])
        {
            using var bind = new Bind(directory);
            var answer = Answer(state, mechanism, bind.Acceptor.CreateReply());
            Refuses(() => bind.Mechanism.Complete(answer), "only Kerberos was offered");
            using var other = new Bind(directory);
            Refuses(() => other.Mechanism.Continue(answer), "only Kerberos was offered");
        }
    }

    [Fact]
    public async Task A_rejection_and_an_answer_that_is_no_negotiation_are_refused()
    {
        await using var directory = new TestDirectory();
        using (var bind = new Bind(directory))
            Refuses(() => bind.Mechanism.Complete(Answer(Reject)), "rejects Kerberos");
        using (var bind = new Bind(directory))
            Refuses(() => bind.Mechanism.Continue(new byte[] { 1, 2, 3 }), "not a NegTokenResp");
        using (var bind = new Bind(directory))
            Refuses(() => bind.Mechanism.Continue(bind.Mechanism.Start()), "not a NegTokenResp");
        using (var bind = new Bind(directory))
            Refuses(() => bind.Mechanism.Continue(Answer(Incomplete, GssMechanism.Kerberos)), "should be complete");
    }

    [Fact]
    public async Task A_proof_that_is_changed_or_cut_anywhere_is_refused()
    {
        await using var directory = new TestDirectory();
        var length = new Bind(directory).Acceptor.CreateReply().Length;
        for (var octet = 0; octet < length; octet++)
        {
            using var bind = new Bind(directory);
            var reply = bind.Acceptor.CreateReply();
            reply[octet] ^= 0x10;
            Should.Throw<DirectoryException>(() => bind.Mechanism.Complete(Answer(Completed, GssMechanism.Kerberos, reply)))
                .Failure.ShouldBe(DirectoryFailure.AnswerRejected, $"octet {octet}");
            using var other = new Bind(directory);
            var cut = Answer(Completed, GssMechanism.Kerberos, other.Acceptor.CreateReply());
            Should.Throw<DirectoryException>(() => other.Mechanism.Complete(cut[..Math.Min(octet, cut.Length - 1)]))
                .Failure.ShouldBe(DirectoryFailure.AnswerRejected, $"length {octet}");
        }
    }

    private static void Refuses(Func<object?> run, string reason)
    {
        var error = Should.Throw<DirectoryException>(() => { run(); });
        error.Failure.ShouldBe(DirectoryFailure.AnswerRejected);
        error.Message.ShouldContain(reason);
    }

    private static byte[] EncodeList(params string[] mechanisms)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var mechanism in mechanisms)
                writer.WriteObjectIdentifier(mechanism);
        }
        return writer.Encode();
    }

    // NegotiationToken ::= CHOICE { negTokenResp [1] NegTokenResp } (RFC 4178 §4.2.2).
    private static ReadOnlyMemory<byte> Answer(int? state, string? mechanism = null, byte[]? token = null, byte[]? mic = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(Context(1)))
        using (writer.PushSequence())
        {
            if (state is { } number)
            {
                using (writer.PushSequence(Context(0)))
                    writer.WriteEncodedValue([0x0A, 1, (byte)number]);
            }
            if (mechanism is not null)
            {
                using (writer.PushSequence(Context(1)))
                    writer.WriteObjectIdentifier(mechanism);
            }
            if (token is not null)
            {
                using (writer.PushSequence(Context(2)))
                    writer.WriteOctetString(token);
            }
            if (mic is not null)
            {
                using (writer.PushSequence(Context(3)))
                    writer.WriteOctetString(mic);
            }
        }
        return writer.Encode();
    }

    private static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);

    private sealed class Bind : IDisposable
    {
        private readonly GssSecurityContext _context;

        public Bind(TestDirectory directory)
        {
            var ticket = directory.GetTicket();
            _context = GssSecurityContext.Create(ticket, GssProtection.Confidentiality, default);
            Mechanism = new SpnegoMechanism("dc.test.example", _context, seals: true);
            Mechanism.Start().IsEmpty.ShouldBeFalse();
            Acceptor = new GssAcceptor(ticket, _context.InitialToken, assertsSubkey: true);
        }

        public SpnegoMechanism Mechanism { get; }

        public GssAcceptor Acceptor { get; }

        public void Dispose() => _context.Dispose();
    }
}
