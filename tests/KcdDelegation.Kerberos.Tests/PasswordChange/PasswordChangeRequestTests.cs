using System.Net;
using System.Text;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.PasswordChange;
using KcdDelegation.Kerberos.Tests.Messages;
using KcdDelegation.Kerberos.Tests.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos.Tests.PasswordChange;

/// <summary>The request of a password change and the replies of a hostile server or network.</summary>
public sealed class PasswordChangeRequestTests : IDisposable
{
    private const uint ServerNumber = 0x1122_3344;

    private readonly KdcClock _clock = new(new ManualClock());
    private readonly PinnedSecret _password = new(Encoding.UTF8.GetBytes("the new password, äöü"));
    private readonly IssuedTicket _ticket = new()
    {
        Client = Samples.User, ClientRealm = "CONTOSO.TEST", Ticket = Samples.Ticket,
        SessionKey = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1), Flags = TicketFlags.None,
        AuthTime = Samples.Time, StartTime = Samples.Time, EndTime = Samples.Time.AddMinutes(5),
    };

    private PasswordChangeRequest CreateRequest() => new(_ticket, _clock, IPAddress.Parse("127.0.0.7"), _password);

    public void Dispose()
    {
        _password.Dispose();
        _ticket.Dispose();
    }

    [Fact]
    public void The_request_has_an_AP_REQ_with_a_subkey_and_the_password_in_a_KRB_PRIV_under_it()
    {
        using var request = CreateRequest();
        var message = PasswordMessage.Decode(request.Message);
        var (authenticator, part) = Open(request);
        ApRequest.Decode(message.Authentication).Ticket.Encoded.ToArray().ShouldBe(Samples.Ticket.Encoded.ToArray());
        authenticator.Client.ShouldBe(Samples.User);
        authenticator.SequenceNumber.ShouldNotBeNull();
        part.SequenceNumber.ShouldBe(authenticator.SequenceNumber);
        Encoding.UTF8.GetString(part.UserData.Span).ShouldBe("the new password, äöü");
        Convert.ToHexString(part.Sender.Address.Span).ShouldBe("7F000007");
        // Nothing of the password is outside the encryption.
        request.Message.Span.IndexOf("password"u8).ShouldBe(-1);
    }

    [Theory]
    [InlineData(PasswordResultCode.Success)]
    [InlineData(PasswordResultCode.PolicyViolation)]
    [InlineData(PasswordResultCode.AccessDenied)]
    public void A_valid_reply_gives_its_result(object code)
    {
        using var request = CreateRequest();
        request.Check(Reply(request, (PasswordResultCode)code)).Code.ShouldBe(code);
    }

    [Fact]
    public void A_reply_that_is_truncated_at_any_byte_is_rejected()
    {
        using var request = CreateRequest();
        var reply = Reply(request, PasswordResultCode.Success);
        for (var length = 0; length < reply.Length; length++)
        {
            var cut = reply[..length];
            Rejects(request, cut, $"cut to {length} bytes");
            // Also with a length field that agrees with the cut.
            if (length >= 2)
            {
                (cut[0], cut[1]) = ((byte)(length >> 8), (byte)length);
                Rejects(request, cut, $"cut to {length} bytes with a new length");
            }
        }
    }

    [Fact]
    public void A_refusal_with_any_byte_changed_never_becomes_a_success()
    {
        using var request = CreateRequest();
        var reply = Reply(request, PasswordResultCode.PolicyViolation);
        var rejected = 0;
        for (var position = 0; position < reply.Length; position++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = (byte[])reply.Clone();
                changed[position] ^= (byte)(1 << bit);
                try
                {
                    request.Check(changed).Code.ShouldBe(PasswordResultCode.PolicyViolation);
                }
                catch (KerberosException)
                {
                    rejected++;
                }
            }
        }
        rejected.ShouldBeGreaterThan(reply.Length * 7);
    }

    [Theory]
    [InlineData(ServerNumber + 1)]
    [InlineData(null)]
    public void A_reply_with_another_sequence_number_than_its_AP_REP_is_rejected(uint? number)
    {
        using var request = CreateRequest();
        Rejects(request, Reply(request, PasswordResultCode.Success, number: number), "sequence number");
    }

    [Fact]
    public void A_reply_whose_AP_REP_has_no_sequence_number_is_rejected()
    {
        using var request = CreateRequest();
        Rejects(request, Reply(request, PasswordResultCode.Success, proofNumber: null, number: null), "sequence number");
    }

    [Fact]
    public void The_reply_to_another_request_is_rejected()
    {
        using var first = CreateRequest();
        using var second = CreateRequest();
        Rejects(second, Reply(first, PasswordResultCode.Success), "answers another request");
    }

    [Fact]
    public void A_reply_with_the_AP_REP_of_another_request_is_rejected()
    {
        using var first = CreateRequest();
        using var second = CreateRequest();
        var swapped = new PasswordMessage(
            PasswordMessage.Decode(Reply(first, PasswordResultCode.Success)).Authentication,
            PasswordMessage.Decode(Reply(second, PasswordResultCode.Success)).Content).Encode();
        Rejects(second, swapped, "answers another request");
        var swappedContent = new PasswordMessage(
            PasswordMessage.Decode(Reply(second, PasswordResultCode.Success)).Authentication,
            PasswordMessage.Decode(Reply(first, PasswordResultCode.Success)).Content).Encode();
        Rejects(second, swappedContent, "integrity check");
    }

    [Fact]
    public void A_success_under_the_session_key_instead_of_the_subkey_is_rejected()
    {
        using var request = CreateRequest();
        var (authenticator, _) = Open(request);
        Rejects(request, Encode(authenticator, _ticket.SessionKey, PasswordResultCode.Success, ServerNumber, ServerNumber), "integrity");
    }

    [Fact]
    public void The_request_sent_back_is_rejected()
    {
        using var request = CreateRequest();
        var reflected = new PasswordMessage(
            PasswordMessage.Decode(Reply(request, PasswordResultCode.Success)).Authentication,
            PasswordMessage.Decode(request.Message).Content).Encode();
        Rejects(request, reflected, "sequence number");
        Rejects(request, request.Message.ToArray(), "");
    }

    [Theory]
    [InlineData(KerberosErrorCode.PreAuthenticationFailed)]
    [InlineData(KerberosErrorCode.Repeat)]
    [InlineData(KerberosErrorCode.Generic)]
    public void An_error_that_is_not_authenticated_is_no_refusal(KerberosErrorCode code)
    {
        using var request = CreateRequest();
        var error = new KrbError
        {
            ServerTime = Samples.Time, Code = code, Realm = "CONTOSO.TEST", Service = Samples.Service, Text = "no",
            // A result in the e-data, as older servers send it.
            Data = new PasswordResult(PasswordResultCode.PolicyViolation, "too short").Encode(),
        }.Encode();
        Rejects(request, error, "not authenticated");
        Rejects(request, new PasswordMessage(default, error).Encode(), "not authenticated");
    }

    [Fact]
    public void A_forged_success_without_an_AP_REP_is_rejected()
    {
        using var request = CreateRequest();
        var content = PasswordMessage.Decode(Reply(request, PasswordResultCode.Success)).Content;
        Rejects(request, new PasswordMessage(default, content).Encode(), "");
        Rejects(request, new PasswordMessage(default, new PasswordResult(PasswordResultCode.Success, "").Encode()).Encode(), "");
    }

    private static void Rejects(PasswordChangeRequest request, byte[] reply, string reason)
    {
        var error = Should.Throw<KerberosException>(() => request.Check(reply), reason);
        // Without a code: it is not the realm's answer.
        (error.Code, error.Reason).ShouldBe((null, KerberosFailureReason.ReplyRejected));
        if (!reason.StartsWith("cut", StringComparison.Ordinal))
            error.Detail.ShouldContain(reason);
    }

    private (Authenticator Authenticator, EncKrbPrivatePart Part) Open(PasswordChangeRequest request)
    {
        var message = PasswordMessage.Decode(request.Message);
        var authenticator = Authenticator.Decode(
            ApRequest.Decode(message.Authentication).Authenticator.Decrypt(_ticket.SessionKey, KeyUsage.ApRequestAuthenticator));
        var part = EncKrbPrivatePart.Decode(
            KrbPrivate.Decode(message.Content).EncryptedPart.Decrypt(authenticator.Subkey!, KeyUsage.KrbPrivate));
        return (authenticator, part);
    }

    private byte[] Reply(
        PasswordChangeRequest request, PasswordResultCode code, uint? proofNumber = ServerNumber, uint? number = ServerNumber)
    {
        var (authenticator, _) = Open(request);
        return Encode(authenticator, authenticator.Subkey!, code, proofNumber, number);
    }

    private byte[] Encode(Authenticator authenticator, KerberosKey key, PasswordResultCode code, uint? proofNumber, uint? number)
    {
        var proof = new EncApReplyPart(authenticator.Time, authenticator.Microseconds) { SequenceNumber = proofNumber };
        var part = new EncKrbPrivatePart
        {
            UserData = new PasswordResult(code, "text").Encode(), SequenceNumber = number,
            Sender = HostAddress.From(IPAddress.Loopback),
        };
        return new PasswordMessage(
            new ApReply(EncryptedData.Encrypt(_ticket.SessionKey, KeyUsage.ApReply, proof.Encode())).Encode(),
            new KrbPrivate(EncryptedData.Encrypt(key, KeyUsage.KrbPrivate, part.Encode())).Encode()).Encode();
    }
}
