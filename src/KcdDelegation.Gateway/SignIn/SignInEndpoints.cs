using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The paths of the sign-in at the address of each application. Nothing below <see cref="SignInPaths.Root"/> reaches a
/// backend.</summary>
internal sealed class SignInEndpoints(
    ProviderClients clients, SignInScheme scheme, SignInAnswers answers, RepeatedSignIns repeated)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        if (!SignInPaths.IsOwn(path))
        {
            await next(context);
            return;
        }
        var application = context.GetGatewayApplication();
        if (application.SignIn != SignInMode.Browser || (path != SignInPaths.Callback && path != SignInPaths.SignIn))
            await answers.WriteAsync(context, SignInPages.NotFound);
        else if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            await answers.WriteAsync(context, SignInPages.MethodNotAllowed);
        }
        else if (path == SignInPaths.Callback)
            await CompleteAsync(context, application);
        else
            await StartAsync(context, application);
    }

    private async Task CompleteAsync(HttpContext context, GatewayApplication application)
    {
        try
        {
            var handler = await clients.CreateHandlerAsync(context, application.Provider)
                ?? throw new SignInException(SignInFailure.ProviderUnavailable, "The settings have no sign-in with the provider.");
            if (!await handler.HandleRequestAsync())
                throw new SignInException(SignInFailure.StateLost, "The request is no answer of a provider.");
        }
        catch (SignInException error)
        {
            await answers.WriteFailureAsync(context, error, returnUrl: null);
        }
    }

    private Task StartAsync(HttpContext context, GatewayApplication application)
    {
        if (ClientKinds.Determine(context.Request) != ClientKind.Navigation)
            return answers.WriteRequiredAsync(context);
        if (context.Request.Query[SignInReferral.AutomaticParameter] == "1" && repeated.IsLoop(context.Request))
            return answers.WriteLoopAsync(context);
        var properties = new AuthenticationProperties
        {
            RedirectUri = ReturnUrl.FromParameter(application.ExternalUrl, GetSingle(context.Request.Query, "return")),
        };
        if (context.Request.Query["select"] == "1")
            properties.SetParameter(OpenIdConnectParameterNames.Prompt, OpenIdConnectPrompt.SelectAccount);
        else if (context.Request.Query[SignInReferral.LoginParameter] == "1")
            properties.SetParameter(OpenIdConnectParameterNames.Prompt, OpenIdConnectPrompt.Login);
        return scheme.StartAsync(context, properties);
    }

    private static string? GetSingle(IQueryCollection query, string name) => query[name].Count == 1 ? query[name][0] : null;
}
