using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Diagnosis;
using KcdDelegation.Gateway.Applications;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.SignIn;
using KcdDelegation.Http;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using KcdDelegation.Yarp.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.ForwardAuthentication;

/// <summary>Answers another proxy that asks about the request of a client: with the <c>Authorization</c> for the application, or with the
/// answer for the client.</summary>
/// <remarks>Users, conditions and delegation are those of requests through the gateway. Only listeners of forward authentication have the
/// endpoint, and they have nothing else.</remarks>
internal sealed class ForwardAuthenticationEndpoint(
    GatewaySettingsStore settings, ApplicationAuthorization authorization, DelegationClient client, GatewayCookies cookies,
    ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    private readonly ILogger _logger = loggerFactory.CreateLogger(GatewayLog.Category);
    private readonly ILogger _library = loggerFactory.CreateLogger(Log.Category);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<ForwardAuthenticationListener>() is not null)
            return AnswerAsync(context);
        if (!context.Request.Path.StartsWithSegments(ForwardedRequest.Root, StringComparison.OrdinalIgnoreCase))
            return next(context);
        ForwardAuthenticationLog.PublicPathRefused(_logger, PrintableText.From(context.Request.Path.Value, 256));
        return SignInPages.NotFound.WriteAsync(context, settings.Current.Pages, timeProvider);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var current = settings.Current;
        var request = ForwardedRequest.Read(context, current, out var problem);
        context.Response.OnStarting(() => CompleteAsync(context.Response, request?.Proxy));
        if (request is null || (problem = FindProblem(request)) is not null)
        {
            ForwardAuthenticationLog.ProxyRequestRefused(
                _logger, PrintableText.From(context.Request.Path.Value, 256), problem!, GatewayPage.GetActivityId(context));
            await ForwardAuthenticationPages.ProxyRequestRefused.WriteAsync(context, current.Pages, timeProvider);
            return;
        }
        if (request.Application is not { } application)
        {
            await HostPages.NoApplication.WriteAsync(context, current.Pages, timeProvider);
            return;
        }
        if (!string.Equals(request.Scheme, application.ExternalUrl.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            await HostPages.HttpsRequired.WriteAsync(context, current.Pages, timeProvider);
            return;
        }
        request.Apply(context, application);
        context.Features.Set(new ApplicationFeature(application, current));
        context.Features.Set(new SignInReferral(IsRedirect: request.Proxy != OuterProxy.Nginx));
        try
        {
            await authorization.InvokeAsync(context, granted => GrantAsync(granted, request.IsRefused));
        }
        catch (KcdException error)
        {
            await context.AnswerKcdErrorAsync(error);
        }
    }

    private static string? FindProblem(ForwardedRequest request)
    {
        // RFC 9110 §9.3.6, §9.3.8: a tunnel, and a reflection of the request with its credentials.
        if (HttpMethods.IsTrace(request.Method) || HttpMethods.IsConnect(request.Method))
            return $"the method {PrintableText.From(request.Method, 32)} is not allowed";
        // The browser would be sent to this path again and again.
        return IsBelow(request.Target, SignInPaths.Root) || IsBelow(request.Target, ForwardedRequest.Root)
            ? "it asks about a path of the gateway. Pass the paths below /.kcd/ to the public listener without asking" : null;
    }

    private static bool IsBelow(string target, PathString root) =>
        target.StartsWith('/') && PathString.FromUriComponent(target.Split('?')[0])
            .StartsWithSegments(root, StringComparison.OrdinalIgnoreCase);

    /// <summary>Answers a request that may reach the application.</summary>
    private async Task GrantAsync(HttpContext context, bool isRefused)
    {
        var (application, current) = context.GetApplicationFeature();
        if (application.Delegation is { } name)
        {
            var delegated = client.GetApplication(name);
            var unmet = delegated.MutualAuthentication == MutualAuthentication.Required ? nameof(delegated.MutualAuthentication)
                : delegated.RequireChannelBinding ? nameof(delegated.RequireChannelBinding) : null;
            if (unmet is not null)
            {
                ForwardAuthenticationLog.CheckNotPossible(_logger, application.Name, $"Kcd:Applications:{name}:{unmet}");
                await ForwardAuthenticationPages.DelegationRefused.WriteAsync(context, current.Pages, timeProvider);
                return;
            }
            // A sign-out in the meantime aborts this request.
            DelegatedRequest.Current?.Track(context.User);
            var credential = await client.GetCredentialAsync(name, context.User, context.RequestAborted);
            if (isRefused)
                credential = await ReplaceAsync(delegated, credential, context.RequestAborted);
            context.Response.Headers.Authorization = credential.CreateAuthorization(delegated.TokenFormat).ToString();
        }
        await cookies.ReadNamesAsync();
        if (CookieFields.GetOthers(context.Request.Headers.Cookie, cookies.Names) is { } kept)
            context.Response.Headers.Cookie = kept;
        context.Response.StatusCode = StatusCodes.Status200OK;
    }

    /// <summary>Replaces a ticket that the application has refused, since the key of its service may have changed.</summary>
    /// <remarks>The engine replaces the ticket of a user once a minute, however often a refusal is reported. In between, the answer has the
    /// ticket of the last replacement.</remarks>
    private async Task<DelegatedCredential> ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken)
    {
        var service = application.Service.ToString();
        try
        {
            if (await ((IDelegationSource)client).ReplaceAsync(application, refused, cancellationToken) is not { } replacement)
            {
                Log.TicketReplacedBefore(_library, application.Name, service);
                return refused;
            }
            Log.RequestSentWithNewTicket(
                _library, application.Name, service, StatusCodes.Status401Unauthorized, LearnedServiceKey.Describe(refused.Ticket),
                LearnedServiceKey.Describe(replacement.Ticket));
            return replacement;
        }
        catch (KcdException error)
        {
            Log.TicketNotReplaced(_library, application.Name, service, error.Cause, error.Remedy);
            return refused;
        }
    }

    /// <summary>Forbids every cache to store an answer, and limits the status codes to those that the proxy knows.</summary>
    private static Task CompleteAsync(HttpResponse response, OuterProxy? proxy)
    {
        response.Headers.CacheControl = "no-store";
        if (proxy == OuterProxy.Nginx && response.StatusCode is >= 300 and < 500 and not (401 or 403))
            response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
