using System.Net.Http.Headers;

namespace KcdDelegation.Samples.MinimalApi;

/// <summary>Requires a valid bearer token and makes its user the user of the request.</summary>
internal sealed class BearerTokenMiddleware(RequestDelegate next, DelegationClient client)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            var token = AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header)
                && header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? header.Parameter : null;
            if (token is null)
            {
                Challenge(context);
                return;
            }
            context.User = await client.ValidateTokenAsync(token, context.RequestAborted);
        }
        catch (KcdException)
        {
            // The client logs the reason. The sender of a bad token gets no details.
            Challenge(context);
            return;
        }
        await next(context);
    }

    private static void Challenge(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
    }
}
