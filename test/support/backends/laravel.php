<?php

// Just enough of a Laravel application around the example's controller: a sign-in, and a route. Run by a test where
// Laravel is installed.

namespace {
    require 'Illuminate/autoload.php';
    require 'GuzzleHttp/autoload.php';
}

namespace App\Http\Controllers {
    class Controller extends \Illuminate\Routing\Controller {}
}

namespace {
    use App\Http\Controllers\ChatTokenController;
    use Illuminate\Config\Repository;
    use Illuminate\Container\Container;
    use Illuminate\Contracts\Routing\ResponseFactory as ResponseFactoryContract;
    use Illuminate\Events\Dispatcher;
    use Illuminate\Http\Request;
    use Illuminate\Routing\ResponseFactory;
    use Illuminate\Routing\Router;
    use Illuminate\Support\Facades\Facade;

    require_once 'Illuminate/Foundation/helpers.php';
    require getenv('CONTROLLER');

    $app = Container::getInstance();
    Facade::setFacadeApplication($app);
    $app->instance('config', new Repository(['services' => ['chatsdk' => [
        'url' => getenv('CHATSDK_API_URL'),
        'key' => getenv('CHATSDK_API_KEY'),
    ]]]));
    $app->instance('log', new class {
        public function error(string $line): void
        {
            file_put_contents('php://stderr', $line."\n");
        }
    });
    $app->instance(ResponseFactoryContract::class, (new ReflectionClass(ResponseFactory::class))->newInstanceWithoutConstructor());

    $request = Request::capture();
    $app->instance(Request::class, $request);
    $request->setUserResolver(function () use ($request) {
        $parts = explode('.', (string) $request->bearerToken());
        if (count($parts) !== 3) {
            return null;
        }
        $base64url = fn (string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
        $digest = hash_hmac('sha256', "{$parts[0]}.{$parts[1]}", getenv('APP_SESSION_SECRET'), true);
        $claims = json_decode(base64_decode(strtr($parts[1], '-_', '+/')), true);
        if (! hash_equals($base64url($digest), $parts[2]) || $claims['exp'] < time()) {
            return null;
        }

        return (object) [
            'id' => $claims['sub'],
            'name' => $claims['name'] ?? null,
            'avatar_url' => $claims['picture'] ?? null,
            'department' => $claims['department'] ?? null,
        ];
    });
    $router = new Router(new Dispatcher($app), $app);
    $router->aliasMiddleware('signed-in', fn ($request, $next) => $request->user() === null
        ? new \Illuminate\Http\JsonResponse(['error' => 'sign_in_required'], 401)
        : $next($request));
    $router->post('/api/auth/chat-token', [ChatTokenController::class, 'generate'])->middleware('signed-in');
    $router->dispatch($request)->send();
}
