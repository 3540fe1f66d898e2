using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KcdDelegation.Gateway.ForwardAuthentication;

/// <summary>Marks the connections of the listeners for forward authentication, as a feature. Nothing in a request can set it.</summary>
internal sealed class ForwardAuthenticationListener
{
    private static readonly ForwardAuthenticationListener s_mark = new();

    private ForwardAuthenticationListener()
    {
    }

    public static void Mark(ListenOptions endpoint) => endpoint.Use(next => connection =>
    {
        connection.Features.Set(s_mark);
        return next(connection);
    });
}
