using System.Buffers;
using System.Net.Http.Headers;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation;

/// <summary>One user at one application: makes any number of header values, each to be sent once. Thread-safe. Made by
/// <c>DelegationClient.GetCredentialAsync</c>; use it at once and ask again for the next request, so that the caller's token and name
/// are checked again.</summary>
public readonly struct DelegatedCredential
{
    /// <summary>For tickets that come without an authenticator, which would have one of its own.</summary>
    private static readonly AuthorizationTemplateCache s_templatesOfTickets = new();

    private readonly ServiceTicket? _ticket;
    private readonly TicketTemplates? _templates;
    private readonly bool _mutual;

    /// <param name="ticket">The user's ticket for the application.</param>
    /// <param name="templates">Shared by all credentials of an authenticator.</param>
    /// <param name="mutualAuthentication">As the application has it; anything but off asks the service to prove itself.</param>
    internal DelegatedCredential(ServiceTicket ticket, AuthorizationTemplateCache templates, MutualAuthentication mutualAuthentication)
    {
        _ticket = ticket;
        _templates = templates.GetTemplates(ticket);
        _mutual = mutualAuthentication != MutualAuthentication.Off;
    }

    /// <summary>A credential of a ticket that was asked for by name, without a caller, from <see cref="S4UClient"/>.</summary>
    /// <param name="ticket">The user's ticket.</param>
    /// <param name="mutualAuthentication">Anything but off asks the service to prove itself.</param>
    public static DelegatedCredential FromTicket(ServiceTicket ticket, MutualAuthentication mutualAuthentication = MutualAuthentication.Off)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        return new DelegatedCredential(ticket, s_templatesOfTickets, mutualAuthentication);
    }

    /// <summary>The ticket, for protocols other than HTTP.</summary>
    /// <exception cref="InvalidOperationException">The credential is <c>default</c>.</exception>
    public ServiceTicket Ticket =>
        _ticket ?? throw new InvalidOperationException("This credential was not made by DelegationClient.GetCredentialAsync.");

    /// <summary>A value for the <c>Authorization</c> header of one request.</summary>
    /// <param name="format">How the ticket is framed; <see cref="TokenFormat.Auto"/> gives the raw Kerberos token, since there is no answer
    /// of the backend to learn from.</param>
    /// <param name="channelBinding">RFC 5929 application data of the connection, "tls-server-end-point:" and the hash; empty: none.</param>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired since the credential was made.</exception>
    public AuthenticationHeaderValue CreateAuthorization(TokenFormat format, ReadOnlyMemory<byte> channelBinding = default) =>
        new(AuthorizationFrame.Scheme, GetTemplate(format, channelBinding).CreateParameter(out _));

    /// <summary>Writes a value for the <c>Authorization</c> header of one request: "Negotiate " and base64, ASCII. Allocates nothing from a
    /// ticket's third value on.</summary>
    /// <param name="output">Gets the value.</param>
    /// <param name="format"><inheritdoc cref="CreateAuthorization" path="/param[@name='format']"/></param>
    /// <param name="channelBinding"><inheritdoc cref="CreateAuthorization" path="/param[@name='channelBinding']"/></param>
    /// <returns>What a reply of the service must match.</returns>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired since the credential was made.</exception>
    public ApRequestState WriteAuthorization(IBufferWriter<byte> output, TokenFormat format, ReadOnlyMemory<byte> channelBinding = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        return GetTemplate(format, channelBinding).Write(output);
    }

    internal AuthorizationTemplate GetTemplate(TokenFormat format, ReadOnlyMemory<byte> channelBinding)
    {
        var kind = new AuthorizationKind(format == TokenFormat.Auto ? TokenFormat.Kerberos : format, _mutual, channelBinding);
        var ticket = Ticket;
        return _templates!.Get(ticket, kind);
    }
}
