using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The <c>Authorization</c> value of one sending: put on the request at the last moment, since it is bound to the connection's
/// certificate, and kept to verify the reply. Made anew for each sending: no token goes out twice.</summary>
internal sealed class SentAuthorization(DelegatedCredential credential, TokenFormat format)
{
    private AuthorizationTemplate? _template;
    private ApRequestState _state;

    public TokenFormat Format { get; } = format;

    /// <summary>Whether the ticket is bound to the TLS connection.</summary>
    public bool IsBound => _template is { Kind.ChannelBinding.IsEmpty: false };

    /// <summary>Bytes of the header's value.</summary>
    public int Length { get; private set; }

    /// <summary>Puts a new value on the request.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired meanwhile.</exception>
    public void PutOn(HttpRequestMessage request, ReadOnlyMemory<byte> channelBinding)
    {
        try
        {
            _template = credential.GetTemplate(Format, channelBinding);
            var value = _template.CreateValue(out _state);
            Length = value.Length;
            request.Headers.Remove("Authorization");
            request.Headers.TryAddWithoutValidation("Authorization", value);
        }
        catch (InvalidOperationException error)
        {
            throw new KcdException(new KcdFailure(
                KcdStage.Delegation,
                KcdEventId.NoTicket,
                $"The ticket of {credential.Ticket.User} for {credential.Ticket.Service} was dropped while the request waited. Nothing was sent.",
                "Send the request again.") { IsTransient = true }, error);
        }
    }

    /// <summary>Null if the token is the answer to what was sent.</summary>
    public KerberosException? WhyReplyIsWrong(ReadOnlySpan<byte> token)
    {
        try
        {
            _state.VerifyReply(_template!.Request, token);
            return null;
        }
        catch (KerberosException error)
        {
            return error;
        }
    }
}
